import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { sqliteStore } from 'session-registry/stores/sqlite'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { sessionError } from '../support/session-error.ts'
import {
  databases,
  FakeDatabaseSync,
  openDatabase,
  storeIn,
  withFakeSqlite,
} from '../support/sqlite-databases.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'
import { testFolder } from '../support/test-folder.ts'
import { describeStore, takingTurns } from './describe-store.ts'

describeStore('better-sqlite3', () => storeIn(openDatabase()), {
  fail: (store) => databases.get(store)?.close(),
})

describeStore('better-sqlite3 that returns integers as bigint', () => {
  const database = openDatabase()
  database.defaultSafeIntegers(true)
  return storeIn(database)
})

describeStore('several connections to one file of SQLite', () => {
  const path = join(testFolder(), 'sessions.db')
  openDatabase(path).pragma('journal_mode = WAL')
  const open = () => storeIn(openDatabase(path, { timeout: 5 }))
  return takingTurns([open(), open(), open()])
})

describeStore('a path of SQLite', () => {
  withFakeSqlite()
  return sqliteStore(join(testFolder(), 'sessions.db'))
})

/** A statement of a library with callbacks: each method returns the statement. */
const chainable = { run: () => chainable, get: () => chainable, all: () => chainable }

describe('a sqlite store: its arguments', () => {
  afterEach(() => vi.restoreAllMocks())

  it('is refused with a path on a runtime without node:sqlite', () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)

    expect(() => sqliteStore('sessions.db')).toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(() => sqliteStore('sessions.db')).toThrow(/no `node:sqlite`/)
  })

  it('is refused with a path on a runtime that cannot be asked for it', () => {
    const { getBuiltinModule } = process
    Reflect.deleteProperty(process, 'getBuiltinModule')
    onTestFinished(() => {
      process.getBuiltinModule = getBuiltinModule
    })

    expect(() => sqliteStore('sessions.db')).toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
  })

  it('is refused with the path of a folder, now or when it is opened', async () => {
    withFakeSqlite()
    const folder = testFolder()
    expect(() => sqliteStore(folder)).toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
    const store = sqliteStore(join(folder, 'later'))
    mkdirSync(join(folder, 'later'))

    await expect(store.get('ada', context())).rejects.toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
  })

  it.each(['', undefined, null, 7, {}, { exec() {} }])(
    'is refused without a path or a database: %j',
    (given) => {
      expect(() => sqliteStore(given as string)).toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
    },
  )

  it.each<[string, object]>([
    ['promises', { prepare: async () => ({}) }],
    ['callbacks', { prepare: () => chainable }],
    ['statements without get', { prepare: () => ({ run() {}, all() {} }) }],
  ])('is refused at the first use of a database with %s, and nothing is executed', async (_, members) => {
    const exec = vi.fn()
    const store = sqliteStore({ exec, close() {}, ...members } as never)

    await expect(store.get('ada', context())).rejects.toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
    await expect(store.put(storedSession(), replacing(null))).rejects.toThrow(/`pathOrDatabase`/)
    await expect(store.delete('ada', context())).rejects.toThrow(/synchronous/)
    expect(exec).not.toHaveBeenCalled()
  })

  it.each([
    '',
    '1st',
    'a b',
    'a"b',
    "a'b",
    'a;drop',
    'main.sessions',
    'sqlite_stat',
    'é',
    'x'.repeat(49),
    7,
    null,
  ])('is refused with a table that is no identifier: %j', (table) => {
    const database = openDatabase(':memory:')
    expect(() => sqliteStore(database, { table: table as string })).toThrow(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
  })

  it('is refused with an option that there is not', () => {
    expect(() => sqliteStore(openDatabase(':memory:'), { tabel: 'x' } as object)).toThrow(/`tabel`/)
  })
})

describe('a sqlite store: a path', () => {
  it('is opened at the first use, in WAL mode and flushed at each write, and closed by close', async () => {
    withFakeSqlite()
    const store = sqliteStore(join(testFolder(), 'sessions.db'))
    expect(FakeDatabaseSync.opened).toEqual([])
    await store.close?.()
    await Promise.all([store.get('ada', context()), store.get('bob', context())])
    expect(FakeDatabaseSync.opened).toHaveLength(1)
    const [database] = FakeDatabaseSync.opened
    expect(database?.pragma('journal_mode')).toBe('wal')
    expect(database?.pragma('synchronous')).toBe(2)
    expect(database?.pragma('busy_timeout')).toBeLessThan(50)
    await store.close?.()

    expect(database?.isOpen).toBe(false)
  })

  it('of a database in memory is not closed, since all would be lost', async () => {
    withFakeSqlite()
    const store = sqliteStore(':memory:')
    const session = storedSession()
    await store.put(session, replacing(null))
    await store.close?.()

    expect(await store.get('ada', context())).toEqual(session)
  })

  it('that cannot be opened rejects, and is tried again by the next call', async () => {
    withFakeSqlite()
    const folder = testFolder()
    const store = sqliteStore(join(folder, 'missing', 'sessions.db'))
    await expect(store.get('ada', context())).rejects.toThrow(/directory does not exist|unable to open/)
    mkdirSync(join(folder, 'missing'))

    expect(await store.get('ada', context())).toBeUndefined()
  })

  it('of a file that is no database rejects, and leaves the file as it is', async () => {
    withFakeSqlite()
    const path = join(testFolder(), 'sessions.db')
    writeFileSync(path, 'this is not a database, whatever its name says'.repeat(30))
    const store = sqliteStore(path)

    await expect(store.get('ada', context())).rejects.toMatchObject({ code: 'SQLITE_NOTADB' })
    await expect(store.put(storedSession(), replacing(null))).rejects.toMatchObject({ code: 'SQLITE_NOTADB' })
    expect(FakeDatabaseSync.opened.map(({ isOpen }) => isOpen)).toEqual([false, false])
    expect(readdirSync(join(path, '..'))).toEqual(['sessions.db'])
  })

  it('is opened for all waiting calls, though one of them is aborted', async () => {
    withFakeSqlite()
    const store = sqliteStore(join(testFolder(), 'sessions.db'))
    const controller = new AbortController()
    const [one, other] = [
      store.get('ada', { signal: controller.signal }),
      store.put(storedSession(), replacing(null)),
    ]
    controller.abort()

    await expect(one).rejects.toBe(controller.signal.reason)
    expect(await other).toBe(true)
  })
})
