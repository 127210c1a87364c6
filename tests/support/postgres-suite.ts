import { randomUUID } from 'node:crypto'
import { Pool, type PoolConfig } from 'pg'
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { findPostgres, PostgresServer } from './postgres-server.ts'

/** Tests on a server of their own. Skipped if there is no PostgreSQL; `postgres-setup.ts` prints that. */
export function describeOnPostgres(name: string, tests: (postgres: () => PostgresServer) => void): void {
  describe.skipIf(findPostgres() === undefined)(name, () => {
    let server: PostgresServer | undefined
    beforeAll(async () => {
      server = await PostgresServer.start()
    }, 60_000)
    afterAll(async () => {
      await server?.stop()
    })
    tests(() => {
      if (server === undefined)
        throw new Error('the server runs from the first test on, not while they are gathered')
      return server
    })
  })
}

/** The name of a table that no other test uses. */
export function uniqueTable(): string {
  return `t_${randomUUID().replaceAll('-', '')}`
}

/** A pool that is ended when the test has finished. */
export function testPool(connectionString: string, config: PoolConfig = {}): Pool {
  const pool = new Pool({ connectionString, max: 4, ...config })
  // Without a listener a connection that is lost while idle ends the process.
  pool.on('error', () => {})
  onTestFinished(async () => {
    if (!pool.ended) await pool.end()
  })
  return pool
}
