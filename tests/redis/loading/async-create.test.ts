import { expect, it, vi } from 'vitest'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const soon = { timeout: 20_000, interval: 10 }
const never = Number.POSITIVE_INFINITY

describeOnRedis('an asynchronous `create`', (redis) => {
  async function creating(options: object = {}) {
    const making = new ManualCreate()
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      intervalMs: never,
      create: making.create,
      ...options,
    })
    const begun = (count: number) => expect.poll(() => making.calls.length, soon).toBe(count)
    return { making, registry, begun }
  }

  it.each(['redis', 'ioredis'] as const)(
    'is called once for concurrent `open`, `run` and `acquire` (%s)',
    async (kind) => {
      const { making, registry, begun } = await creating({ kind })
      const opened = registry.open('a')
      const ran = registry.run('a', ({ value }) => value)
      const acquired = registry.acquire('a')
      await begun(1)
      making.at(0).resolve(['made'])

      expect(await opened).toEqual(['made'])
      expect(await ran).toEqual(['made'])
      expect((await acquired).session.value).toEqual(['made'])
      expect(making.calls).toHaveLength(1)
      expect((await registry.stats()).created).toBe(1)
    },
  )

  it('is awaited by `getOrCreate`, which passes a signal', async () => {
    const { making, registry, begun } = await creating()
    const created = registry.getOrCreate('a')
    await begun(1)
    expect(making.at(0).signal.aborted).toBe(false)
    making.at(0).resolve(['made'])

    expect(await created).toEqual(['made'])
    expect(await registry.get('a')).toEqual(['made'])
  })

  it('that fails rejects all that wait with that very error, and leaves nothing', async () => {
    const { making, registry, begun } = await creating()
    const error = new Error('no sandbox')
    const calls = [observe(registry.open('a')), observe(registry.run('a', () => {}))]
    await begun(1)
    making.at(0).reject(error)
    await Promise.all(calls.map(({ settled }) => settled))

    expect(calls[0]?.error).toBe(error)
    expect(calls[1]?.error).toBe(error)
    expect(await registry.has('a')).toBe(false)
    const again = registry.getOrCreate('a')
    await begun(2)
    making.at(1).reject(error)
    expect(await failureOf(() => again)).toBe(error)
  })

  it('of one call that fails concerns that call alone', async () => {
    const { making, registry, begun } = await creating()
    const error = new Error('own failure')
    const own = observe(registry.open('a', { create: () => Promise.reject(error) }))
    const other = observe(registry.open('a'))
    await own.settled
    await begun(1)
    making.at(0).resolve(['made'])
    await other.settled

    expect(own.error).toBe(error)
    expect(other.value).toEqual(['made'])
  })

  it('has its signal aborted when the last caller has left, and not before', async () => {
    const { making, registry, begun } = await creating()
    const controllers = [new AbortController(), new AbortController()]
    const calls = controllers.map(({ signal }) => observe(registry.open('a', { signal })))
    await begun(1)
    controllers[0]?.abort('gone')
    await calls[0]?.settled
    expect(making.at(0).signal.aborted).toBe(false)
    controllers[1]?.abort('gone too')
    await calls[1]?.settled
    await expect.poll(() => making.at(0).signal.aborted, soon).toBe(true)

    expect(calls.map(({ error }) => error)).toEqual(['gone', 'gone too'])
    making.at(0).resolve(['late'])
    await registry.settled()
    expect(await registry.has('a')).toBe(false)
  })

  it.each(['open', 'run', 'getOrCreate'] as const)('takes `loadTimeoutMs` at most: %s', async (member) => {
    const { making, registry } = await creating({ loadTimeoutMs: 50 })
    const call = () => (member === 'run' ? registry.run('a', () => {}) : registry[member]('a'))

    expect(await failureOf(call)).toEqual(sessionError('ERR_SESSION_LOAD_TIMEOUT'))
    expect(making.at(0).signal.aborted).toBe(true)
    expect(await registry.has('a')).toBe(false)
  })

  it('is dropped by `delete`, and those who wait begin anew', async () => {
    const { making, registry, begun } = await creating()
    const opened = registry.open('a')
    await begun(1)
    expect(await registry.delete('a')).toBe(true)
    expect(making.at(0).signal.reason).toEqual(sessionError('ERR_SESSION_ENDED'))
    await begun(2)
    making.at(0).resolve(['from before the deletion'])
    making.at(1).resolve(['from after it'])

    expect(await opened).toEqual(['from after it'])
  })

  it('may delete its own id, which deletes nothing', async () => {
    const deleted: unknown[] = []
    const { registry } = await creating({
      create: async (id: string) => {
        deleted.push(await registry.delete(id))
        return ['made']
      },
    })

    expect(await registry.open('a')).toEqual(['made'])
    expect(deleted).toEqual([false])
  })

  it('may not open its own id', async () => {
    const { registry } = await creating({
      create: async (id: string): Promise<string[]> => registry.open(id),
    })

    expect(await failureOf(() => registry.open('a'))).toEqual(sessionError('ERR_SESSION_REENTRANT'))
    expect(await failureOf(() => registry.getOrCreate('a'))).toEqual(sessionError('ERR_SESSION_REENTRANT'))
  })

  it('is aborted by `close`, and its callers are rejected', async () => {
    const { making, registry, begun } = await creating()
    const calls = [observe(registry.open('a')), observe(registry.getOrCreate('b'))]
    await begun(2)
    await registry.close({ deadlineMs: 200 })
    await Promise.all(calls.map(({ settled }) => settled))

    const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')
    expect(calls.map(({ error }) => error)).toEqual([closed, closed])
    expect(making.calls.map(({ signal }) => signal.reason)).toEqual([closed, closed])
  })

  it('is not called where the session is there', async () => {
    const create = vi.fn(async () => ['made'])
    const { registry } = await creating({ create })
    await registry.open('a')
    await registry.open('a')
    await registry.getOrCreate('a')

    expect(create).toHaveBeenCalledTimes(1)
  })

  it('comes after a `load` that has found nothing', async () => {
    const { making, registry, begun } = await creating({ load: async () => undefined })
    const opened = registry.open('a')
    await begun(1)
    making.at(0).resolve(['made'])

    expect(await opened).toEqual(['made'])
  })
})
