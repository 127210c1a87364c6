import { AsyncLocalStorage } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Session } from 'session-registry'
import { RedisSessionRegistry, type RedisSessionRegistryOptions } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import { describeOnRedis, testClient, uniquePrefix } from '../support/redis-suite.ts'

const soon = { timeout: 20_000, interval: 10 }
const visitor = new AsyncLocalStorage<object | string>()

describeOnRedis('the async context', (redis) => {
  /**
   * Returns a registry constructed in the context `constructor`, and a record of what ran in which context.
   */
  async function observed(options: Omit<RedisSessionRegistryOptions<string[]>, 'client'> = {}) {
    const client = await testClient('redis', redis.url)
    const ran: string[] = []
    const note = (what: string) => ran.push(`${what} in ${visitor.getStore()}`)
    const registry = visitor.run(
      'constructor',
      () =>
        new RedisSessionRegistry<string[]>({
          client,
          prefix: uniquePrefix(),
          shards: 1,
          intervalMs: 50,
          create: () => [],
          ...options,
        }),
    )
    onTestFinished(async () => {
      await registry.close({ deadlineMs: 0 })
    })
    registry.on('created', ({ id }) => note(`created ${id}`))
    registry.on('expired', ({ id }) => note(`expired ${id}`))
    registry.on('ended', ({ id }, reason) => note(`ended ${id} ${reason}`))
    registry.on('swept', () => note('swept'))
    registry.on('error', () => note('error'))
    return { registry, ran, note }
  }

  it('background: archive and events run in the context of the constructor, not of the first visitor', async () => {
    let attempts = 0
    const { registry, ran, note } = await observed({
      timeoutMs: 100,
      archive: async ({ id }: Session<string[]>) => {
        attempts += 1
        note(`archive ${id}`)
        if (attempts === 1) throw new Error('the database is down')
      },
    })
    await visitor.run('ada', () => registry.getOrCreate('a'))
    await expect.poll(() => ran, soon).toContain('ended a idle in constructor')
    await expect.poll(() => ran, soon).toContain('swept in constructor')

    expect(ran.filter((line) => !line.startsWith('swept'))).toEqual([
      'created a in ada',
      'archive a in constructor',
      'archive a in constructor',
      'expired a in constructor',
      'ended a idle in constructor',
    ])
    expect(ran.filter((line) => line.startsWith('swept'))).not.toContain('swept in ada')
  })

  it('sweep(): archive and events run in the context of the constructor, not of the caller', async () => {
    const { registry, ran, note } = await observed({
      timeoutMs: 50,
      intervalMs: Number.POSITIVE_INFINITY,
      archive: async ({ id }) => void note(`archive ${id}`),
    })
    await visitor.run('ada', () => registry.getOrCreate('a'))
    ran.length = 0
    await expect.poll(() => visitor.run('ben', () => registry.sweep()), soon).toBe(1)
    await expect.poll(() => ran.length, soon).toBe(4)

    expect(ran.toSorted()).toEqual([
      'archive a in constructor',
      'ended a idle in constructor',
      'expired a in constructor',
      'swept in constructor',
    ])
  })

  it('dead letter: the error is emitted in the context of the constructor', async () => {
    const { registry, ran } = await observed({
      timeoutMs: 50,
      archiveAttempts: 1,
      archive: () => Promise.reject(new Error('the database is down')),
    })
    await visitor.run('ada', () => registry.getOrCreate('a'))

    await expect.poll(() => ran, soon).toContain('error in constructor')
    expect(ran).not.toContain('error in ada')
  })

  it('deletion: the signal of an archive in progress aborts in the context of the constructor', async () => {
    const { registry, ran, note } = await observed({
      timeoutMs: 50,
      archive: ({ id }, _reason, { signal }) =>
        new Promise((_, reject) => {
          note(`archive ${id}`)
          signal.addEventListener('abort', () => {
            note(`abort ${id}`)
            reject(signal.reason)
          })
        }),
    })
    await visitor.run('ada', () => registry.getOrCreate('a'))
    await expect.poll(() => ran, soon).toContain('archive a in constructor')
    await visitor.run('ben', () => registry.delete('a'))

    expect(ran).toContain('abort a in constructor')
    expect(ran).toContain('ended a deleted in ben')
  })

  it('call: create, load and the events for its own id run in its context', async () => {
    const { registry, ran, note } = await observed({
      load: async (id) => {
        note(`load ${id}`)
        return undefined
      },
      create: (id) => {
        note(`create ${id}`)
        return []
      },
    })
    await visitor.run('ada', () => registry.open('a'))
    await visitor.run('ben', () => registry.run('b', () => void note('turn b')))
    await visitor.run('cleo', () => registry.delete('a'))

    expect(ran).toEqual([
      'load a in ada',
      'create a in ada',
      'created a in ada',
      'load b in ben',
      'create b in ben',
      'created b in ben',
      'turn b in ben',
      'ended a deleted in cleo',
    ])
  })

  it('request: its context is kept in memory neither by the poller nor by a renewal', {
    timeout: 30_000,
  }, async () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const { registry } = await observed({ timeoutMs: 100_000, leaseMs: 300 })
    const use = async (calls: () => Promise<unknown>) => {
      const request = { body: 'x'.repeat(1_000) }
      await visitor.run(request, calls)
      return new WeakRef(request)
    }
    const first = await use(() => registry.getOrCreate('a'))
    const turn = await use(() => registry.run('a', ({ value }) => value.push('hello')))
    const held = await use(() => registry.hold('a'))
    await registry.get('a')

    await expect
      .poll(async () => {
        gc()
        await new Promise((resolve) => setImmediate(resolve))
        return [first, turn, held].map((request) => request.deref() === undefined)
      }, soon)
      .toEqual([true, true, true])
  })
})
