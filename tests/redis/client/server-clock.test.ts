import type { createClient } from 'redis'
import { RedisSessionRegistry, type ScriptClient } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import { describeOnRedis, testClient, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'

const day = 24 * 3_600_000

describeOnRedis('a server whose clock is changed', (redis) => {
  /** A client that sees the server's clock ahead. */
  async function shifted() {
    const inner = (await testClient('redis', redis.url)) as ReturnType<typeof createClient>
    const server = { aheadMs: 0 }
    const client: ScriptClient = {
      run: async ({ source }, keys, args) => {
        const notAfter = Number(args.at(-2)) - server.aheadMs
        const shiftedArgs = [...args.slice(0, -2), String(notAfter), args.at(-1) ?? '']
        const [state, now, ...rest] = (await inner.eval(source, { keys, arguments: shiftedArgs })) as [
          number,
          number,
        ]
        return [state, now + server.aheadMs, ...rest]
      },
    }
    const registry = new RedisSessionRegistry<string[]>({ client, prefix: uniquePrefix(), create: () => [] })
    const errors: Error[] = []
    registry.on('error', (error) => errors.push(error as Error))
    onTestFinished(async () => {
      await registry.close()
    })
    return { server, registry, errors }
  }

  it.each([
    ['an hour ahead', 3_600_000],
    ['an hour back', -3_600_000],
    ['eight days back', -8 * day],
  ])('continues, with nothing to report: %s', async (_, aheadMs) => {
    const { server, registry, errors } = await shifted()
    await registry.run('a', ({ value }) => value.push('one'))
    server.aheadMs = aheadMs

    expect(await registry.run('a', ({ value }) => value.push('two'))).toBe(2)
    expect(await registry.get('a')).toEqual(['one', 'two'])
    expect(errors).toEqual([])
  })

  it('reports that data may have reached their time to live: eight days ahead', async () => {
    const inner = (await testClient('redis', redis.url)) as ReturnType<typeof createClient>
    const server = { aheadMs: 0 }
    const client: ScriptClient = {
      run: ({ source }, keys, args) => {
        const ahead = source.replace(
          "local clock = redis.call('TIME')",
          `local clock = redis.call('TIME') clock[1] = clock[1] + ${server.aheadMs / 1_000}`,
        )
        expect(ahead).not.toBe(source)
        return inner.eval(ahead, { keys, arguments: args })
      },
    }
    const options = { prefix: uniquePrefix(), shards: 4, intervalMs: 20, create: () => [] }
    const registry = new RedisSessionRegistry<string[]>({ ...options, client, archive: async () => {} })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    onTestFinished(async () => {
      await registry.close()
    })
    await registry.run('a', ({ value }) => value.push('one'))
    // So that each shard was polled before the change.
    await registry.sweep()
    server.aheadMs = 8 * day

    await expect.poll(() => errors.length, { timeout: 5_000 }).toBe(1)
    expect(errors).toEqual([sessionError('ERR_SESSION_ARCHIVE_FAILED')])
    // One for all shards, and once.
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(errors).toHaveLength(1)
  })
})
