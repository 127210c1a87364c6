import { join } from 'node:path'
import type Database from 'better-sqlite3'
import type { SessionStore } from 'session-registry'
import { type SqliteDatabase, sqliteStore } from 'session-registry/stores/sqlite'
import { describe, expect, it } from 'vitest'
import { openDatabase, storeIn } from '../support/sqlite-databases.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'
import { testFolder } from '../support/test-folder.ts'

describe('a sqlite store: a database that is locked', () => {
  function twoConnections(): [store: SessionStore, other: Database.Database] {
    const path = join(testFolder(), 'sessions.db')
    const database = openDatabase(path, { timeout: 5 })
    database.pragma('journal_mode = WAL')
    return [storeIn(database), openDatabase(path, { timeout: 5 })]
  }

  it('is waited for, while the event loop goes on', async () => {
    const [store, other] = twoConnections()
    const session = storedSession()
    await store.put(session, replacing(null))
    other.exec('BEGIN IMMEDIATE')
    let ticks = 0
    const ticker = setInterval(() => {
      ticks += 1
    }, 5)
    const next = storedSession()
    const write = store.put(next, replacing(session.revision))
    expect(await store.get('ada', context())).toEqual(session)
    await new Promise((resolve) => setTimeout(resolve, 300))
    other.exec('COMMIT')

    expect(await write).toBe(true)
    clearInterval(ticker)
    expect(ticks).toBeGreaterThan(10)
  })

  it('is waited for no longer than the signal lets it, and nothing is written later', async () => {
    const [store, other] = twoConnections()
    const session = storedSession()
    await store.put(session, replacing(null))
    other.exec('BEGIN IMMEDIATE')
    const signal = AbortSignal.timeout(50)
    await expect(store.put(storedSession(), { signal, replaces: undefined })).rejects.toSatisfy(
      (error) => error === signal.reason,
    )
    await expect(store.delete('ada', { signal })).rejects.toSatisfy((error) => error === signal.reason)
    other.exec('COMMIT')

    expect(await store.get('ada', context())).toEqual(session)
  })

  it('is waited for when the table is made, too', async () => {
    const [store, other] = twoConnections()
    other.exec('BEGIN IMMEDIATE')
    const write = store.put(storedSession(), replacing(null))
    await new Promise((resolve) => setTimeout(resolve, 60))
    other.exec('COMMIT')

    expect(await write).toBe(true)
  })

  it.each([
    { errcode: 5 },
    { errcode: 517 },
    { code: 'SQLITE_BUSY', errno: 5 },
    { code: 'SQLITE_BUSY_SNAPSHOT' },
    { code: 'SQLITE_LOCKED' },
    { message: 'database is locked' },
  ])('is recognised by what each library says: %j', async (failure) => {
    const database = openDatabase()
    let failures = 0
    const sometimesBusy: SqliteDatabase = {
      exec: (sql) => database.exec(sql),
      prepare(sql) {
        if (failures++ < 3) throw Object.assign(new Error(failure.message ?? 'no'), failure)
        return database.prepare(sql)
      },
      close: () => database.close(),
    }

    expect(await sqliteStore(sometimesBusy).put(storedSession(), replacing(null))).toBe(true)
  })

  it.each([{ errcode: 13 }, { code: 'SQLITE_FULL' }, { errcode: 1, message: 'disk I/O error' }])(
    'is not what other failures mean: %j',
    async (failure) => {
      const failing: SqliteDatabase = {
        exec: () => undefined,
        prepare() {
          throw Object.assign(new Error(failure.message ?? 'no'), failure)
        },
        close: () => undefined,
      }

      await expect(sqliteStore(failing).get('ada', context())).rejects.toMatchObject(failure)
    },
  )
})
