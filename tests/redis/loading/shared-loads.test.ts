import { expect, it, vi } from 'vitest'
import { type Deferred, deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const soon = { timeout: 20_000, interval: 10 }
const never = Number.POSITIVE_INFINITY

interface Load {
  readonly signal: AbortSignal
  readonly answer: Deferred<string[] | undefined>
}

/** A `load` that the test settles by hand. */
function manualLoad() {
  const loads: Load[] = []
  const load = (_id: string, { signal }: { readonly signal: AbortSignal }) => {
    const answer = deferred<string[] | undefined>()
    loads.push({ signal, answer })
    return answer.promise
  }
  const begun = (count: number) => expect.poll(() => loads.length, soon).toBe(count)
  return { loads, load, begun }
}

describeOnRedis('a session loaded for several calls', (redis) => {
  const make = (options: object) =>
    testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      intervalMs: never,
      create: () => [],
      ...options,
    })

  it.each(['redis', 'ioredis'] as const)(
    "aborted while loading: the next turn is not affected by the other visitor's abort (%s)",
    async (kind) => {
      const { loads, load, begun } = manualLoad()
      const registry = await make({ kind, load })
      const controller = new AbortController()
      const first = observe(registry.run('a', () => 'first', { signal: controller.signal }))
      await begun(1)
      const reason = new Error('the visitor reloads the page')
      controller.abort(reason)
      const second = observe(registry.run('a', ({ value }) => value))
      await first.settled
      expect(first.error).toBe(reason)
      expect(loads[0]?.signal.aborted).toBe(true)

      await begun(2)
      loads[0]?.answer.reject(reason)
      loads[1]?.answer.resolve(['loaded anew'])
      await second.settled
      expect(second).toMatchObject({ state: 'fulfilled', value: ['loaded anew'] })
    },
  )

  it.each(['redis', 'ioredis'] as const)(
    'aborted while an older incarnation is archived: the next turn keeps waiting (%s)',
    async (kind) => {
      const store = new FakeArchive('manual')
      const registry = await make({
        kind,
        intervalMs: 50,
        timeoutMs: 200,
        maxTurnMs: 30_000,
        archive: store.archive,
        load: store.load,
      })
      await registry.run('a', (session) => session.value.push('old'))
      await expect.poll(() => store.calls.length, soon).toBe(1)
      const controller = new AbortController()
      const first = observe(registry.run('a', () => {}, { signal: controller.signal }))
      // Its call has a reply once a later call has one.
      await registry.has('a')
      await registry.has('a')
      controller.abort(new Error('the visitor reloads the page'))
      const second = observe(registry.run('a', ({ value }) => value))
      await first.settled
      store.last.succeed()
      await second.settled

      expect(second).toMatchObject({ state: 'fulfilled', value: ['old'] })
    },
  )

  it('aborted while others wait: they keep the load', async () => {
    const { loads, load, begun } = manualLoad()
    const registry = await make({ load })
    const controller = new AbortController()
    const first = observe(registry.run('a', () => {}, { signal: controller.signal }))
    await begun(1)
    const others = [registry.run('a', ({ value }) => value), registry.open('a')]
    controller.abort(new Error('gone'))
    await first.settled
    expect(loads[0]?.signal.aborted).toBe(false)
    loads[0]?.answer.resolve(['loaded'])

    expect(await Promise.all(others)).toEqual([['loaded'], ['loaded']])
    expect(loads).toHaveLength(1)
  })

  it('aborted with the lock in the reply: releases it', async () => {
    const registry = await make({})
    for (let round = 0; round < 20; round += 1) {
      const controller = new AbortController()
      const first = observe(registry.run('a', () => {}, { signal: controller.signal }))
      // Some aborts come before the call is sent, some while it is under way.
      for (let ticks = 0; ticks < round; ticks += 1) await Promise.resolve()
      controller.abort(new Error('gone'))
      await first.settled
      const startedAt = performance.now()
      expect(await registry.run('a', () => 'next')).toBe('next')
      expect(performance.now() - startedAt).toBeLessThan(2_000)
    }
  })

  it('deleted while loading: returns `true`, aborts the load, drops its result, and waiting calls load anew', async () => {
    const { loads, load, begun } = manualLoad()
    const registry = await make({ load })
    const created = vi.fn()
    registry.on('created', created)
    const opens = [observe(registry.open('a')), observe(registry.run('a', ({ value }) => value))]
    await begun(1)

    expect(await registry.delete('a')).toBe(true)
    expect(loads[0]?.signal.aborted).toBe(true)
    loads[0]?.answer.resolve(['of the visitor who has logged out'])
    await begun(2)
    loads[1]?.answer.resolve(['anew'])
    await Promise.all(opens.map(({ settled }) => settled))
    expect(opens.map(({ value }) => value)).toEqual([['anew'], ['anew']])
    expect(created).toHaveBeenCalledTimes(1)
  })

  it('deleted while nothing is loading: returns `false`', async () => {
    const registry = await make({ load: async () => undefined })

    expect(await registry.delete('a')).toBe(false)
  })

  it('cleared while loading: it is counted, aborted, and loaded anew', async () => {
    const { loads, load, begun } = manualLoad()
    const registry = await make({ load })
    await registry.set('b', [])
    const open = observe(registry.open('a'))
    await begun(1)

    expect(await registry.clear()).toBe(2)
    expect(loads[0]?.signal.aborted).toBe(true)
    await begun(2)
    loads[1]?.answer.resolve(['anew'])
    await open.settled
    expect(open.value).toEqual(['anew'])
  })

  it('load that never settles: rejects after `loadTimeoutMs`, and the id can be opened again', async () => {
    const { loads, load, begun } = manualLoad()
    const registry = await make({ load, loadTimeoutMs: 100 })
    const opens = [observe(registry.open('a')), observe(registry.run('a', () => {}))]
    await Promise.all(opens.map(({ settled }) => settled))

    expect(opens.map(({ error }) => error)).toEqual(Array(2).fill(sessionError('ERR_SESSION_LOAD_TIMEOUT')))
    expect(loads[0]?.signal.reason).toEqual(sessionError('ERR_SESSION_LOAD_TIMEOUT'))
    const again = observe(registry.open('a'))
    await begun(2)
    loads[1]?.answer.resolve(['at last'])
    await again.settled
    expect(again.value).toEqual(['at last'])
  })
})

describeOnRedis('an id deleted while its archive was writing', (redis) => {
  it.each([
    ['with', true],
    ['without', false],
  ] as const)('opens when the hook has settled (%s `load`)', async (_, hasLoad) => {
    const store = new FakeArchive('manual')
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 100,
      create: () => ['new'],
      archive: store.archive,
      ...(hasLoad ? { load: store.load } : {}),
    })
    await registry.set('a', ['old'])
    await expect.poll(() => store.calls.length, soon).toBe(1)
    expect(await registry.delete('a')).toBe(true)
    expect(store.last.signal.aborted).toBe(true)
    const open = observe(registry.open('a'))
    const run = observe(registry.run('a', ({ value }) => value))
    await registry.has('b')
    await registry.has('b')
    expect([open.state, run.state]).toEqual(['pending', 'pending'])

    store.last.fail(store.failure)
    await Promise.all([open.settled, run.settled])
    expect([open.value, run.value]).toEqual([['new'], ['new']])
  })
})

describeOnRedis('a session created for several calls', (redis) => {
  const make = (options: object) =>
    testRegistry<string[]>(redis, { prefix: uniquePrefix(), intervalMs: never, ...options })

  it("own factory: makes the value instead of the registry's, for all waiting calls", async () => {
    const ofRegistry = vi.fn(() => ['of the registry'])
    const registry = await make({ create: ofRegistry })
    const own = vi.fn((id: string) => [`own of ${id}`])
    const values = [
      registry.open('a', { create: own }),
      registry.run('a', ({ value }) => value),
      registry.open('a'),
    ]

    expect(await Promise.all(values)).toEqual([['own of a'], ['own of a'], ['own of a']])
    expect(own).toHaveBeenCalledTimes(1)
    expect(ofRegistry).not.toHaveBeenCalled()
    expect(await registry.run('b', ({ value }) => value, { create: own })).toEqual(['own of b'])
  })

  it('own factory that throws: rejects its own call only', async () => {
    const registry = await make({ create: () => ['made'] })
    const error = new Error('cannot be made')
    const failing = failureOf(() =>
      registry.open('a', {
        create: () => {
          throw error
        },
      }),
    )

    expect(await registry.open('a')).toEqual(['made'])
    expect(await failing).toBe(error)
  })

  it("registry's factory that throws: is called once, and rejects all waiting calls", async () => {
    const error = new Error('cannot be made')
    const create = vi.fn(() => {
      throw error
    })
    const registry = await make({ create })
    const failures = [1, 2, 3].map(() => failureOf(() => registry.open('a')))

    expect(await Promise.all(failures)).toEqual([error, error, error])
    expect(create).toHaveBeenCalledTimes(1)
    expect(await registry.has('a')).toBe(false)
  })

  it('`create: false`: returns `undefined`, or what there is to load', async () => {
    const registry = await make({ create: () => ['made'] })
    expect(await registry.open('a', { create: false })).toBeUndefined()
    expect(await registry.has('a')).toBe(false)
    const loading = await make({ load: async () => ['loaded'] })

    expect(await loading.open('a', { create: false })).toEqual(['loaded'])
  })

  it('signal: ends the wait of that call, and its work continues for the others', async () => {
    const { load, loads, begun } = manualLoad()
    const registry = await make({ load })
    const controller = new AbortController()
    const reason = new Error('gone')
    const first = failureOf(() => registry.open('a', { signal: controller.signal }))
    await begun(1)
    const second = registry.open('a')
    await registry.has('a')
    controller.abort(reason)
    expect(await first).toBe(reason)
    expect(loads[0]?.signal.aborted).toBe(false)
    loads[0]?.answer.resolve(['loaded'])

    expect(await second).toEqual(['loaded'])
    expect(await failureOf(() => registry.open('a', { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })

  it('load that deletes its own id: is not repeated endlessly', async () => {
    let calls = 0
    const registry = await make({
      load: async () => {
        calls += 1
        await registry.delete('a')
        return ['loaded']
      },
    })

    expect(await registry.open('a')).toEqual(['loaded'])
    expect(calls).toBe(1)
  })
})
