import type { SessionStore } from 'session-registry'
import { postgresStore } from 'session-registry/stores/postgres'
import { describe, expect, it } from 'vitest'
import { describeOnPostgres, testPool, uniqueTable } from '../support/postgres-suite.ts'
import { sessionError } from '../support/session-error.ts'
import { storedSession } from '../support/store-session.ts'
import { describeStore, takingTurns } from './describe-store.ts'
import { describeSharedStore } from './several-processes.ts'

const breakers = new WeakMap<SessionStore, () => Promise<void>>()

describeOnPostgres('PostgreSQL', (postgres) => {
  describeStore(
    'PostgreSQL with pg',
    () => {
      const pool = testPool(postgres().url)
      const store = postgresStore(pool, { table: uniqueTable() })
      breakers.set(store, () => pool.end())
      return store
    },
    { fail: (store) => breakers.get(store)?.() },
  )

  describeStore('PostgreSQL whose transactions are serializable', () => {
    const options = '-c default_transaction_isolation=serializable'
    return postgresStore(testPool(postgres().url, { options }), { table: uniqueTable() })
  })

  describeStore('several stores in one table of PostgreSQL', () => {
    const table = uniqueTable()
    const open = () => postgresStore(testPool(postgres().url), { table })
    return takingTurns([open(), open(), open()])
  })

  describeSharedStore('PostgreSQL', () => {
    const { url } = postgres()
    return { source: { kind: 'postgres', url }, store: postgresStore(testPool(url)) }
  })
})

describe('a postgres store: its arguments', () => {
  const pool = { query: async () => ({ rows: [] }) }

  it.each([undefined, null, {}, 'postgres://', { query: 7 }])('is refused without a pool: %j', (given) => {
    expect(() => postgresStore(given as never)).toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
  })

  it.each(['', '1st', 'a b', 'a"b', 'a.b', 'a;drop', 'é', 'x'.repeat(49), 7, null])(
    'is refused with a table or a schema that is no identifier: %j',
    (name) => {
      expect(() => postgresStore(pool, { table: name as string })).toThrow(
        sessionError('ERR_SESSION_OPTION_INVALID'),
      )
      expect(() => postgresStore(pool, { schema: name as string })).toThrow(
        sessionError('ERR_SESSION_OPTION_INVALID'),
      )
    },
  )

  it.each([[[[], []]], [undefined], [{}], [{ rows: 7 }]])(
    'is refused at the first use of a pool whose query resolves to %j',
    async (result) => {
      const store = postgresStore({ query: async () => result } as never)
      const { signal } = new AbortController()
      const refused = sessionError('ERR_SESSION_OPTION_INVALID')

      await expect(store.get('ada', { signal })).rejects.toThrow(refused)
      await expect(store.put(storedSession(), { signal, replaces: null })).rejects.toThrow(refused)
      await expect(store.delete('ada', { signal })).rejects.toThrow(refused)
    },
  )

  it('is refused with an option that there is not', () => {
    expect(() => postgresStore(pool, { tabel: 'x' } as object)).toThrow(/`tabel`/)
  })
})
