import { expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import type { ClientKind } from '../../support/redis-clients.ts'
import { administrator, keysWith } from '../../support/redis-keys.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import type { RedisServer } from '../../support/redis-server.ts'
import { describeOnOwnRedis, describeOnRedis, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 60_000 }
const unavailable = sessionError('ERR_SESSION_BACKEND_UNAVAILABLE')
const never = Number.POSITIVE_INFINITY

/** Long before the lease of a lock or a claim lapses. */
const atOnce = { timeout: 10_000, interval: 20 }

const options = {
  callTimeoutMs: 300,
  leaseMs: 60_000,
  timeoutMs: 600_000,
  intervalMs: never,
  create: (): string[] => [],
}

/** GLIDE rejects at its own timeout, and what it has sent lies in the socket as well. */
const kinds: readonly ClientKind[] = ['redis', 'ioredis', 'iovalkey', 'glide']

async function allGivenUp(calls: readonly Promise<unknown>[]): Promise<void> {
  for (const call of await Promise.allSettled(calls)) expect(call).toMatchObject({ reason: unavailable })
}

describeOnOwnRedis('a server that stalls for longer than `callTimeoutMs`', {}, (redis) => {
  async function process(kind: ClientKind, more: Partial<RegistryOptions<string[]>> = {}) {
    const registry = await testRegistry<string[]>(redis, {
      ...options,
      kind,
      prefix: uniquePrefix(),
      ...more,
    })
    registry.on('error', () => {})
    await registry.set('a', ['kept'])
    await registry.run('a', () => {})
    await registry.delete('unknown')
    return registry
  }

  /**
   * Makes calls while the server stalls until they are abandoned; the server has resumed when this resolves.
   */
  async function givenUpInStall(server: RedisServer, calls: () => Promise<unknown>[]): Promise<void> {
    server.freeze()
    try {
      await allGivenUp(calls())
    } finally {
      server.thaw()
    }
  }

  it.each(kinds)('keeps no lock for an abandoned turn: %s', generous, async (kind) => {
    const registry = await process(kind)
    await givenUpInStall(redis, () => [registry.run('a', () => {}), registry.run('b', () => {})])

    const started = observe(Promise.all(['a', 'b'].map((id) => registry.run(id, ({ value }) => [...value]))))
    await expect.poll(() => started.value, atOnce).toEqual([['kept'], []])
  })

  it.each(kinds)(
    'does not execute a delete or replace that was reported as failed: %s',
    generous,
    async (kind) => {
      const registry = await process(kind)
      await registry.set('b', ['kept'])
      await givenUpInStall(redis, () => [registry.delete('a'), registry.set('b', ['lost'])])

      // The server has read the socket by then.
      expect(await registry.get('c')).toBeUndefined()
      expect(await registry.get('a')).toEqual(['kept'])
      expect(await registry.get('b')).toEqual(['kept'])
    },
  )

  it.each(kinds)('does not execute an abandoned interrupt: %s', generous, async (kind) => {
    const prefix = uniquePrefix()
    const registry = await process(kind, { prefix })
    const other = await testRegistry<string[]>(redis, { ...options, prefix })
    const admin = await administrator(redis)
    let end = () => {}
    const turn = other.run('a', () => new Promise<void>((resolve) => (end = resolve)))
    await waitUntil(async () => (await other.peek('a'))?.held === true)
    await givenUpInStall(redis, () => [registry.run('a', () => {}, { whenBusy: 'interrupt' })])

    expect(await registry.get('a')).toEqual(['kept'])
    const key = (await keysWith(admin, prefix)).find((one) => one.key.endsWith(':s:a'))?.key ?? ''
    expect(await admin.hGet(key, 'lo')).not.toBeNull()
    expect(await admin.hGet(key, 'ir')).toBeNull()
    end()
    await turn
  })

  it.each(kinds)('does not execute an abandoned claim: %s', generous, async (kind) => {
    const archived: number[] = []
    const registry = await process(kind, {
      intervalMs: 50,
      shards: 1,
      archive: async (_session, _reason, { attempt }) => {
        archived.push(attempt)
      },
    })
    const failures: unknown[] = []
    registry.on('error', (error) => failures.push(error))
    await registry.replace('a', ['kept'], { timeoutMs: 500 })
    redis.freeze()
    try {
      await waitUntil(() => failures.length > 0)
      await new Promise((resolve) => setTimeout(resolve, 500))
    } finally {
      redis.thaw()
    }

    await expect.poll(() => archived, atOnce).toEqual([1])
  })
})

describeOnRedis('a client that queues calls until it reconnects', (redis) => {
  it.each(['ioredis', 'iovalkey'] as const)(
    'its abandoned calls have no effect: %s',
    generous,
    async (kind) => {
      const proxy = await testProxy(redis.url)
      const prefix = uniquePrefix()
      const registry = await testRegistry<string[]>(proxy, { ...options, kind, prefix })
      const other = await testRegistry<string[]>(redis, { ...options, prefix })
      for (const id of ['a', 'b', 'c']) await registry.set(id, ['old'])
      proxy.refuse()
      const calls = [registry.delete('a'), registry.set('b', ['lost']), registry.run('c', () => {})]
      await allGivenUp(calls)
      for (const id of ['a', 'b']) await other.run(id, ({ value }) => value.push('new'))
      proxy.heal()

      await waitUntil(async () => (await registry.get('d').catch(() => 'away')) === undefined)
      expect(await other.get('a')).toEqual(['old', 'new'])
      expect(await other.get('b')).toEqual(['old', 'new'])
      const started = observe(other.run('c', ({ value }) => [...value]))
      await expect.poll(() => started.value, atOnce).toEqual(['old'])
    },
  )
})

describeOnRedis('a reply after its call was abandoned', (redis) => {
  async function process(kind: ClientKind, prefix: string, more: Partial<RegistryOptions<string[]>> = {}) {
    const proxy = await testProxy(redis.url)
    const registry = await testRegistry<string[]>(proxy, { ...options, kind, prefix, ...more })
    registry.on('error', () => {})
    await registry.set('a', ['kept'])
    await registry.run('warm', () => {})
    await registry.sweep()
    return { proxy, registry }
  }

  it.each(kinds)('releases the lock, for other processes too: %s', generous, async (kind) => {
    const prefix = uniquePrefix()
    const { proxy, registry } = await process(kind, prefix)
    const other = await testRegistry<string[]>(redis, { ...options, prefix })
    proxy.holdAnswers()
    await allGivenUp([registry.run('a', () => {}), registry.hold('a')])
    expect((await other.peek('a'))?.held).toBe(true)
    proxy.releaseAnswers()

    await expect.poll(async () => (await other.peek('a'))?.held, atOnce).toBe(false)
    expect(await other.run('a', ({ value }) => [...value], { whenBusy: 'reject' })).toEqual(['kept'])
  })

  it.each(kinds)('releases the lock that a creation took: %s', generous, async (kind) => {
    const prefix = uniquePrefix()
    let hold = () => {}
    const { proxy, registry } = await process(kind, prefix, {
      create: () => {
        hold()
        return ['new']
      },
    })
    hold = () => proxy.holdAnswers()
    const other = await testRegistry<string[]>(redis, { ...options, prefix })
    await allGivenUp([registry.run('b', () => {})])
    expect((await other.peek('b'))?.held).toBe(true)
    proxy.releaseAnswers()

    await expect.poll(async () => (await other.peek('b'))?.held, atOnce).toBe(false)
  })

  it.each(kinds)('releases claimed sessions without counting an attempt: %s', generous, async (kind) => {
    const prefix = uniquePrefix()
    const { proxy, registry } = await process(kind, prefix, { shards: 1 })
    await registry.set('due', ['kept'], { timeoutMs: 50 })
    await waitUntil(async () => (await registry.peek('due')) === undefined)
    proxy.holdAnswers()
    await allGivenUp([registry.sweep()])
    const archived: number[] = []
    const other = await testRegistry<string[]>(redis, {
      ...options,
      prefix,
      shards: 1,
      intervalMs: 50,
      archive: async (_session, _reason, { attempt }) => {
        archived.push(attempt)
      },
    })
    await other.has('a')
    proxy.releaseAnswers()

    await expect.poll(() => archived, atOnce).toEqual([1])
  })
})
