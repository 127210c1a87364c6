import { join } from 'node:path'
import { type SqliteDatabase, sqliteStore } from 'session-registry/stores/sqlite'
import { describe, expect, it } from 'vitest'
import { sessionError } from '../support/session-error.ts'
import { names, openDatabase, storeIn } from '../support/sqlite-databases.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'
import { testFolder } from '../support/test-folder.ts'

describe('a sqlite store: its table', () => {
  it('is made at the first use, with its indexes, and can have any identifier', async () => {
    const database = openDatabase()
    const store = sqliteStore(database, { table: 'Select' })
    expect(names(database)).toEqual([])
    await store.put(storedSession(), replacing(null))

    expect(names(database)).toEqual(['Select', 'Select_by_activity', 'Select_by_owner'])
  })

  it('is used where it is there, without the right to make one', async () => {
    const path = join(testFolder(), 'sessions.db')
    const session = storedSession()
    await storeIn(openDatabase(path)).put(session, replacing(null))
    const store = storeIn(openDatabase(path, { readonly: true }))

    expect(await store.get('ada', context())).toEqual(session)
    await expect(store.put(storedSession(), replacing(undefined))).rejects.toMatchObject({
      code: 'SQLITE_READONLY',
    })
  })

  it('is made again if it was dropped while it was in use', async () => {
    const database = openDatabase()
    const store = storeIn(database)
    await store.put(storedSession(), replacing(null))
    database.exec('DROP TABLE sessions')

    expect(await store.get('ada', context())).toBeUndefined()
    expect(await store.put(storedSession(), replacing(null))).toBe(true)
  })

  it('is made as a whole or not at all', async () => {
    const database = openDatabase()
    database.exec('CREATE TABLE sessions_by_owner (a)')
    const store = storeIn(database)

    await expect(store.get('ada', context())).rejects.toThrow(/already/)
    expect(names(database)).toEqual(['sessions_by_owner'])
  })

  it('is one for each name: two stores in one database do not meet', async () => {
    const database = openDatabase()
    const [one, other] = [sqliteStore(database), sqliteStore(database, { table: 'others' })]
    await one.put(storedSession(), replacing(null))

    expect(await other.get('ada', context())).toBeUndefined()
  })

  it('uses its indexes to prune and to find the sessions of an owner', async () => {
    const database = openDatabase()
    await storeIn(database).get('ada', context())
    const plan = (sql: string) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => (row as { detail: string }).detail)
        .join('; ')

    expect(plan('SELECT key FROM sessions WHERE active < 1 ORDER BY active LIMIT 9')).toContain(
      'sessions_by_activity',
    )
    expect(plan("SELECT id FROM sessions WHERE ownerkey = 'x' AND ownerkey <> ''")).toContain(
      'sessions_by_owner',
    )
  })
})

describe('a sqlite store: a database of the application', () => {
  it('is not closed, and its settings stay', async () => {
    const database = openDatabase()
    const store = storeIn(database)
    await store.get('ada', context())

    expect(store.close).toBeUndefined()
    expect(database.pragma('journal_mode', { simple: true })).toBe('delete')
    expect(database.pragma('busy_timeout', { simple: true })).toBe(5_000)
  })

  it('includes what the store writes in a transaction that was begun, the table too', async () => {
    const database = openDatabase()
    const store = storeIn(database)
    database.exec('BEGIN')
    await store.put(storedSession(), replacing(null))
    database.exec('ROLLBACK')

    expect(names(database)).toEqual([])
    expect(await store.get('ada', context())).toBeUndefined()
  })

  it('may give rows as arrays: the statements of the store do not', async () => {
    const database = openDatabase()
    const asArrays: SqliteDatabase = {
      exec: (sql) => database.exec(sql),
      prepare(sql) {
        const statement = database.prepare(sql)
        if (statement.reader) statement.raw(true)
        return Object.assign(statement, {
          setReturnArrays: (isOn: boolean) => void (statement.reader && statement.raw(isOn)),
        })
      },
      close: () => database.close(),
    }
    const session = storedSession({ owner: 'one', timeoutMs: Number.POSITIVE_INFINITY })
    await sqliteStore(asArrays).put(session, replacing(null))

    expect(await sqliteStore(asArrays).get('ada', context())).toEqual(session)
    expect(await sqliteStore(asArrays).owned?.('one')).toEqual(['ada'])
  })

  it('may give null for a row that is not there, as bun:sqlite does', async () => {
    const database = openDatabase()
    const withNull: SqliteDatabase = {
      exec: (sql) => database.exec(sql),
      prepare(sql) {
        const statement = database.prepare(sql)
        return {
          run: (...params) => statement.run(...params),
          get: (...params) => statement.get(...params) ?? null,
          all: (...params) => statement.all(...params),
        }
      },
      close: () => database.close(),
    }

    expect(await sqliteStore(withNull).get('ada', context())).toBeUndefined()
  })

  it('rejects where a row is damaged, or is that of another session', async () => {
    const database = openDatabase()
    const store = storeIn(database)
    await store.put(storedSession({ owner: 'one' }), replacing(null))
    for (const damage of [
      `id = '"bob"'`,
      "id = '\"ad'",
      'timeout = 0',
      'timeout = -2',
      "owner = '{'",
      "id = '7'",
    ]) {
      database.exec(`SAVEPOINT before; UPDATE sessions SET ${damage}`)
      await expect(store.get('ada', context()), damage).rejects.toThrow(/stored/)
      database.exec('ROLLBACK TO before')
    }
  })

  it('refuses a text that SQLite would cut off or change', async () => {
    const store = storeIn(openDatabase())
    for (const text of ['a\0b', '\ud800']) {
      await expect(store.put(storedSession({ text }), replacing(null))).rejects.toThrow(
        sessionError('ERR_SESSION_VALUE_INVALID'),
      )
      await expect(store.put(storedSession({ revision: text }), replacing(null))).rejects.toThrow(
        sessionError('ERR_SESSION_VALUE_INVALID'),
      )
    }
    expect(await store.get('ada', context())).toBeUndefined()
  })
})
