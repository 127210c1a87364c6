import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { type ClientKind, connectClient, type TestClient } from './redis-clients.ts'
import { RedisProxy } from './redis-proxy.ts'
import { RedisServer, type RedisServerOptions } from './redis-server.ts'
import { findRedis, findRedisProgram } from './redis-source.ts'

export interface SharedRedis {
  readonly url: string
}

/**
 * Tests on a server that they share with one another and perhaps with other programs: each takes a prefix of
 * its own and changes no setting. Skipped if there is no server; `redis-setup.ts` prints that.
 */
export function describeOnRedis(name: string, tests: (redis: SharedRedis) => void): void {
  const source = findRedis()
  if (source?.kind === 'running') describe(name, () => tests({ url: source.url }))
  else describeOnOwnRedis(name, {}, tests)
}

/**
 * Tests that stop, limit, configure or count on their server, which therefore belongs to this suite alone.
 */
export function describeOnOwnRedis(
  name: string,
  options: RedisServerOptions,
  tests: (redis: RedisServer) => void,
): void {
  describe.skipIf(findRedisProgram() === undefined)(name, () => {
    let server: RedisServer | undefined
    beforeAll(async () => {
      server = await RedisServer.start(options)
    })
    afterAll(async () => {
      await server?.stop()
    })
    const running = () => {
      if (server === undefined)
        throw new Error('the server runs from the first test on, not while they are gathered')
      return server
    }
    // The tests are gathered before the server is started, and may keep what they are given.
    tests(new Proxy({} as RedisServer, { get: (_, key) => memberOf(running(), key) }))
  })
}

/** Keeps the keys of one test apart from those of any other. */
export function uniquePrefix(): string {
  return `test-${randomUUID().slice(0, 8)}`
}

/** A client that is closed when the test has finished. */
export async function testClient(kind: ClientKind, url: string): Promise<TestClient['client']> {
  const { client, close } = await connectClient(kind, url)
  onTestFinished(close)
  return client
}

/** A proxy that is closed when the test has finished. */
export async function testProxy(url: string): Promise<RedisProxy> {
  const proxy = await RedisProxy.start(url)
  onTestFinished(() => proxy.close())
  return proxy
}

function memberOf(server: RedisServer, key: string | symbol): unknown {
  const member: unknown = Reflect.get(server, key, server)
  return typeof member === 'function' ? member.bind(server) : member
}
