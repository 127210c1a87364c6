import { setTimeout as wait } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { SessionStore } from 'session-registry'
import { postgresStore } from 'session-registry/stores/postgres'
import { describe, expect, it } from 'vitest'
import type { PostgresServer } from '../support/postgres-server.ts'
import { describeOnPostgres, testPool, uniqueTable } from '../support/postgres-suite.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { waitUntil } from '../support/wait-until.ts'

describeOnPostgres('a postgres store', (postgres) => {
  function openStore(
    pool = testPool(postgres().url),
    table = uniqueTable(),
  ): { store: SessionStore; pool: Pool; table: string } {
    return { store: postgresStore(pool, { table }), pool, table }
  }

  async function proxied(server: PostgresServer, table = uniqueTable()) {
    const proxy = await startTcpProxy(server.port)
    const pool = testPool(`postgres://test@127.0.0.1:${proxy.port}/postgres`, { max: 1 })
    return { proxy, ...openStore(pool, table) }
  }

  describe('its table', () => {
    it('is made by any number of processes at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const table = uniqueTable()
        const stores = Array.from({ length: 8 }, () =>
          postgresStore(testPool(postgres().url, { max: 1 }), { table, schema: `s_${round}` }),
        )
        const results = await Promise.all(stores.map((store) => store.put(storedSession(), replacing(null))))
        expect(results.filter((isWritten) => isWritten)).toHaveLength(1)
      }
    })

    it('is used by a role that may not make one', async () => {
      const { pool, table, store } = openStore()
      const session = storedSession()
      await store.put(session, replacing(null))
      const role = uniqueTable()
      await pool.query(`CREATE ROLE "${role}" LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT SELECT, INSERT, UPDATE, DELETE ON "${table}" TO "${role}"`)
      const url = postgres().url.replace('test@', `${role}@`)

      expect(await postgresStore(testPool(url), { table }).get('ada', context())).toEqual(session)
      const without = postgresStore(testPool(url), { table: uniqueTable() })
      await expect(without.get('ada', context())).rejects.toMatchObject({ code: '42501' })
    })

    it('is made again if it was dropped while it was in use', async () => {
      const { pool, table, store } = openStore()
      await store.put(storedSession(), replacing(null))
      await pool.query(`DROP TABLE "${table}"`)

      expect(await store.get('ada', context())).toBeUndefined()
      expect(await store.put(storedSession(), replacing(null))).toBe(true)
    })

    it('has an index for pruning and one for owners', async () => {
      const { pool, table, store } = openStore()
      await store.get('ada', context())
      const { rows } = await pool.query<{ indexdef: string }>(
        'SELECT indexdef FROM pg_indexes WHERE tablename = $1',
        [table],
      )

      expect(rows.map(({ indexdef }) => /\((\w+)\)/.exec(indexdef)?.[1]).toSorted()).toEqual([
        'active',
        'key',
        'ownerkey',
      ])
    })
  })

  describe('its connection', () => {
    it('is cut while a write is on its way: rejects, and goes on with a new one', async () => {
      const { proxy, store, table } = await proxied(postgres())
      const first = storedSession()
      await store.put(first, replacing(null))
      proxy.swallowAnswers()
      const second = storedSession({ text: 'second' })
      const write = store.put(second, replacing(first.revision))
      // The answer is lost, and the write has arrived.
      await wait(100)
      proxy.cut()
      await expect(write).rejects.toThrow(/terminated|ECONNRESET/)
      const { store: direct } = openStore(testPool(postgres().url), table)

      expect(await direct.get('ada', context())).toEqual(second)
      expect(await direct.put(second, replacing(first.revision))).toBe(true)
    })

    it('is ended by the server: rejects, and goes on with a new one', async () => {
      const { pool, store, table } = openStore(testPool(postgres().url, { max: 1 }))
      const session = storedSession()
      await store.put(session, replacing(null))
      const locker = testPool(postgres().url)
      const client = await locker.connect()
      await client.query('BEGIN')
      await client.query(`SELECT * FROM "${table}" FOR UPDATE`)
      const write = store.put(storedSession(), replacing(undefined))
      const failure = expect(write).rejects.toMatchObject({ code: '57P01' })
      await waitUntil(async () => {
        const { rows } = await locker.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        )
        return rows.length > 0
      })
      await failure
      await client.query('ROLLBACK')
      client.release()

      expect(await store.get('ada', context())).toEqual(session)
      expect(pool.totalCount).toBe(1)
    })

    it('is refused: rejects, and is never taken for a miss', async () => {
      const { store } = openStore(testPool('postgres://test@127.0.0.1:1/postgres'))

      await expect(store.get('ada', context())).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      await expect(store.put(storedSession(), replacing(null))).rejects.toMatchObject({
        code: 'ECONNREFUSED',
      })
    })

    it('survives a server that crashed and came back: what was acknowledged is there', async () => {
      const { store } = openStore()
      const session = storedSession({ timeoutMs: Number.POSITIVE_INFINITY, owner: 'one' })
      await store.put(session, replacing(null))
      await postgres().restart()
      await waitUntil(() =>
        store.get('ada', context()).then(
          () => true,
          () => false,
        ),
      )

      expect(await store.get('ada', context())).toEqual(session)
      expect(await store.owned?.('one')).toEqual(['ada'])
    })
  })

  describe('a call that is given up', () => {
    it('settles soon, though the server does not answer', async () => {
      const { proxy, store } = await proxied(postgres())
      await store.put(storedSession(), replacing(null))
      proxy.goSilent()
      for (const call of [
        (signal: AbortSignal) => store.get('ada', { signal }),
        (signal: AbortSignal) => store.put(storedSession(), { signal, replaces: undefined }),
        (signal: AbortSignal) => store.delete('ada', { signal }),
        // Of a session that no write has been abandoned of.
        (signal: AbortSignal) => store.get('bob', { signal }),
      ]) {
        const startedAt = performance.now()
        const signal = AbortSignal.timeout(50)
        await expect(call(signal)).rejects.toSatisfy((error) => error === signal.reason)
        expect(performance.now() - startedAt).toBeLessThan(3_000)
      }
      proxy.cut()
    })

    it('has no effect that a later call of this store could not see', async () => {
      const { store, table } = openStore()
      const first = storedSession()
      await store.put(first, replacing(null))
      const locker = testPool(postgres().url)
      const client = await locker.connect()
      await client.query('BEGIN')
      await client.query(`SELECT * FROM "${table}" FOR UPDATE`)
      const signal = AbortSignal.timeout(50)
      const given = store.put(storedSession({ text: 'given up' }), { signal, replaces: first.revision })
      await expect(given).rejects.toSatisfy((error) => error === signal.reason)
      const deletion = store.delete('ada', context())
      const read = store.get('ada', context())
      const other = store.put(storedSession({ id: 'bob' }), replacing(null))
      expect(await other).toBe(true)
      await client.query('COMMIT')
      client.release()
      await Promise.all([deletion, read])
      await wait(100)

      expect(await store.get('ada', context())).toBeUndefined()
    })
  })

  describe('prune', () => {
    it('leaves a session that was written while it waited', async () => {
      const { store, table } = openStore()
      await store.put(storedSession({ lastActiveAt: 1_000 }), replacing(null))
      const client = await testPool(postgres().url).connect()
      await client.query('BEGIN')
      await client.query(`LOCK TABLE "${table}" IN ACCESS EXCLUSIVE MODE`)
      const pruned = store.prune?.(5_000, 10)
      await wait(100)
      await client.query(`UPDATE "${table}" SET active = 9000`)
      await client.query('COMMIT')
      client.release()

      expect(await pruned).toEqual([])
    })

    it('leaves a session that is being written just now', async () => {
      const { store, table } = openStore()
      await store.put(storedSession({ lastActiveAt: 1_000 }), replacing(null))
      await store.put(storedSession({ id: 'bob', lastActiveAt: 1_000 }), replacing(null))
      const writer = testPool(postgres().url)
      const client = await writer.connect()
      await client.query('BEGIN')
      await client.query(`UPDATE "${table}" SET active = 9000 WHERE id = '"ada"'`)

      // It does not wait for the writer.
      expect(await store.prune?.(5_000, 10)).toEqual(['bob'])
      await client.query('COMMIT')
      client.release()
      expect((await store.get('ada', context()))?.lastActiveAt).toBe(9_000)
    })
  })

  describe('a transaction that lost', () => {
    it('is repeated, and only then is the revision compared', async () => {
      const options = '-c default_transaction_isolation=repeatable\\ read'
      const { store, table } = openStore(testPool(postgres().url, { options }))
      const first = storedSession()
      await store.put(first, replacing(null))
      const client = await testPool(postgres().url).connect()
      await client.query('BEGIN')
      await client.query(`UPDATE "${table}" SET revision = 'other'`)
      const write = store.put(storedSession(), replacing(first.revision))
      await wait(100)
      await client.query('COMMIT')
      client.release()

      expect(await write).toBe(false)
    })

    it('is not repeated for ever', async () => {
      let queries = 0
      const losing = {
        async query() {
          queries += 1
          throw Object.assign(new Error('could not serialize access'), { code: '40001' })
        },
      }

      await expect(postgresStore(losing).get('ada', context())).rejects.toMatchObject({ code: '40001' })
      expect(queries).toBeLessThan(50)
    })
  })

  it('waits for a connection of an exhausted pool no longer than its signal lets it', async () => {
    const pool = testPool(postgres().url, { max: 1 })
    const { store } = openStore(pool)
    await store.put(storedSession(), replacing(null))
    const client = await pool.connect()
    const signal = AbortSignal.timeout(50)
    await expect(store.get('ada', { signal })).rejects.toSatisfy((error) => error === signal.reason)
    const write = store.put(storedSession({ text: 'late' }), {
      signal: AbortSignal.timeout(50),
      replaces: undefined,
    })
    await expect(write).rejects.toThrow()
    // The write waits in the pool. Nothing of its session comes before it.
    const deletion = store.delete('ada', context())
    client.release()
    await deletion

    expect(await store.get('ada', context())).toBeUndefined()
  })

  it('refuses a text that PostgreSQL would refuse, before it is sent', async () => {
    const { store } = openStore()
    await expect(store.put(storedSession({ text: 'a\0' }), replacing(null))).rejects.toMatchObject({
      code: 'ERR_SESSION_VALUE_INVALID',
    })
  })

  it('rejects where a row is damaged', async () => {
    const { store, pool, table } = openStore()
    await store.put(storedSession({ owner: 'one' }), replacing(null))
    for (const damage of [`id = '"bob"'`, `id = '"ad'`, 'timeout = 0', `owner = '{'`]) {
      await pool.query(`UPDATE "${table}" SET ${damage}`)
      await expect(store.get('ada', context()), damage).rejects.toThrow(/stored/)
      await store.put(storedSession({ owner: 'one' }), replacing(undefined))
    }
  })
})
