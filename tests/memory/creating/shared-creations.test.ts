import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

function creating(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const making = new ManualCreate()
  return { making, ...clockedRegistry({ create: making.create, ...options }) }
}

describe('an asynchronous `create`', () => {
  it('is called once for concurrent `open`, `run`, `stream` and `acquire`', async () => {
    const { registry, making, events } = creating()
    const opened = observe(registry.open('a'))
    const ran = observe(registry.run('a', ({ value }) => value))
    const stream = registry.stream('a', async function* ({ value }) {
      yield value
    })
    const streamed = observe(stream.next())
    const acquired = observe(registry.acquire('a'))
    await settle()
    expect(making.ids).toEqual(['a'])
    expect(opened.state).toBe('pending')
    expect(registry.stats()).toMatchObject({ size: 0, created: 0, misses: 2 })
    const value = ['made']
    making.at(0).resolve(value)
    await settle()

    expect(opened.value).toBe(value)
    expect(ran.value).toBe(value)
    expect(streamed.value).toEqual({ done: false, value })
    expect(acquired.value?.session.value).toBe(value)
    expect(events.take()).toEqual(['created a'])
    expect(making.calls).toHaveLength(1)
  })

  it('1 000 concurrent runs of one id make one value', async () => {
    const { registry, making } = creating()
    const seen = new Set<unknown>()
    let running = 0
    let mostRunning = 0
    const runs = Array.from({ length: 1_000 }, () =>
      registry.run('a', async ({ value }) => {
        running += 1
        mostRunning = Math.max(mostRunning, running)
        await Promise.resolve()
        seen.add(value)
        running -= 1
      }),
    )
    making.at(0).resolve(['made'])
    await Promise.all(runs)

    expect(making.calls).toHaveLength(1)
    expect(seen.size).toBe(1)
    expect(mostRunning).toBe(1)
    expect(registry.stats()).toMatchObject({ created: 1, turns: 1_000 })
  })

  it('is called side by side for different ids', async () => {
    const { registry, making } = creating()
    const opens = ['a', 'b', 'c'].map((id) => registry.open(id))
    expect(making.ids).toEqual(['a', 'b', 'c'])
    for (const call of making.calls.toReversed()) call.resolve([call.id])

    expect(await Promise.all(opens)).toEqual([['a'], ['b'], ['c']])
  })

  it('that fails rejects all that wait with that very error, leaves nothing, and may be tried again', async () => {
    const { registry, making, events } = creating()
    const error = new Error('no browser')
    const calls = [
      observe(registry.open('a')),
      observe(registry.run('a', () => {})),
      observe(registry.acquire('a')),
    ]
    making.at(0).reject(error)
    await settle()
    expect(calls.map((call) => call.error)).toEqual([error, error, error])
    expect(calls[0]?.error).toBe(error)
    expect(registry.stats()).toMatchObject({ size: 0, created: 0, waiting: 0 })
    expect(events.take()).toEqual([])
    const again = observe(registry.open('a'))
    making.at(1).resolve(['made'])
    await settle()

    expect(again.value).toEqual(['made'])
  })

  it('that throws before it returns a promise does the same', async () => {
    const error = new Error('no browser')
    const create = vi.fn(() => {
      throw error
    })
    const { registry } = creating({ create })
    const calls = [observe(registry.open('a')), observe(registry.open('a'))]
    await settle()

    expect(calls.map((call) => call.error)).toEqual([error, error])
    expect(registry.size).toBe(0)
  })

  it('whose value is there at the first microtask emits `created` before the calls go on', async () => {
    const order: string[] = []
    const { registry } = creating({ create: async () => ['made'] })
    registry.on('created', () => order.push('created'))
    await registry.open('a').then(() => order.push('opened'))

    expect(order).toEqual(['created', 'opened'])
  })

  it('may return any thenable', async () => {
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what the test is about
      then: (onFulfilled: (value: string[]) => void) => onFulfilled(['thenable']),
    } as PromiseLike<string[]>
    const { registry } = creating({ create: () => thenable })

    expect(await registry.open('a')).toEqual(['thenable'])
  })

  it('comes after `load`, which has found nothing', async () => {
    const { registry, making } = creating({ load: async () => undefined })
    const opened = observe(registry.open('a'))
    await settle()
    making.at(0).resolve(['made'])
    await settle()

    expect(opened.value).toEqual(['made'])
    expect(registry.stats()).toMatchObject({ created: 1, loaded: 0 })
  })

  it('takes its session’s creation from the time when the value is there', async () => {
    const { registry, making, clock } = creating({ timeoutMs: 1_000 })
    const opened = registry.open('a')
    clock.advance(5_000)
    making.at(0).resolve(['made'])
    await opened

    expect(registry.peek('a')).toMatchObject({ idleMs: 0, ageMs: 0 })
  })

  it('is not called where `create: false` finds nothing, and where the session is live', async () => {
    const { registry, making } = creating()
    registry.set('live', ['live'])

    expect(await registry.open('a', { create: false })).toBeUndefined()
    expect(await registry.open('live')).toEqual(['live'])
    expect(making.calls).toEqual([])
  })

  it('a call with `create: false` that comes while it runs takes its value', async () => {
    const { registry, making } = creating()
    const opened = observe(registry.open('a'))
    const found = observe(registry.open('a', { create: false }))
    making.at(0).resolve(['made'])
    await settle()

    expect(found.value).toEqual(['made'])
    expect(found.value).toBe(opened.value)
  })

  it('that fails lets a call with `create: false` find nothing, and makes nothing for it', async () => {
    const { registry, making } = creating()
    const opened = observe(registry.open('a'))
    const found = observe(registry.open('a', { create: false }))
    const ran = observe(registry.run('a', () => 'called', { create: false }))
    making.at(0).reject(new Error('no browser'))
    await settle()

    expect(opened.state).toBe('rejected')
    expect([found, ran]).toMatchObject([
      { state: 'fulfilled', value: undefined },
      { state: 'fulfilled', value: undefined },
    ])
    expect(making.calls).toHaveLength(1)
  })

  it('counts what waits for it towards `maxWaiting`, all but the first', async () => {
    const { registry, making } = creating({ maxWaiting: 1 })
    const runs = [1, 2, 3].map((number) => observe(registry.run('a', () => number)))
    await settle()
    expect(runs.map(({ state }) => state)).toEqual(['pending', 'pending', 'rejected'])
    expect(runs[2]?.error).toEqual(sessionError('ERR_SESSION_QUEUE_FULL'))
    making.at(0).resolve([])
    await settle()

    expect(runs.map(({ value }) => value)).toEqual([1, 2, undefined])
  })

  it('`whenBusy: reject` waits for it', async () => {
    const { registry, making } = creating()
    const ran = observe(registry.run('a', () => 'done', { whenBusy: 'reject' }))
    await settle()
    expect(ran.state).toBe('pending')
    making.at(0).resolve([])
    await settle()

    expect(ran.value).toBe('done')
  })

  it('`waitMs` counts while it runs', async () => {
    const { registry, making, clock } = creating()
    const ran = observe(registry.run('a', () => {}, { waitMs: 100 }))
    await clock.advanceAsync(100)

    expect(ran.error).toEqual(sessionError('ERR_SESSION_BUSY'))
    expect(making.at(0).signal.aborted).toBe(true)
  })
})

describe('the own `create` of a call', () => {
  it('takes precedence over the registry’s', async () => {
    const { registry, making } = creating()

    expect(await registry.open('a', { create: async () => ['own'] })).toEqual(['own'])
    expect(await registry.run('b', ({ value }) => value, { create: async () => ['own'] })).toEqual(['own'])
    expect(making.calls).toEqual([])
  })

  it('that fails rejects that call alone; the others go on with theirs', async () => {
    const { registry, making } = creating()
    const error = new Error('own failure')
    const own = observe(registry.open('a', { create: () => Promise.reject(error) }))
    const others = [observe(registry.open('a')), observe(registry.open('a'))]
    await settle()
    expect(own.error).toBe(error)
    expect(others.map(({ state }) => state)).toEqual(['pending', 'pending'])
    making.at(0).resolve(['made'])
    await settle()

    expect(others.map(({ value }) => value)).toEqual([['made'], ['made']])
    expect(making.calls).toHaveLength(1)
  })

  it('that fails makes nothing for a call with `create: false`', async () => {
    const { registry, making } = creating()
    observe(registry.open('a', { create: () => Promise.reject(new Error('own failure')) }))
    const found = observe(registry.open('a', { create: false }))
    await settle()

    expect(found).toMatchObject({ state: 'fulfilled', value: undefined })
    expect(making.calls).toEqual([])
  })

  it('of thousands that all fail: each call is rejected with its own error', async () => {
    const { registry } = creating({ create: undefined })
    const failures = Array.from({ length: 5_000 }, (_, index) => new Error(String(index)))
    const calls = failures.map((error) =>
      observe(registry.open('a', { create: () => Promise.reject(error) })),
    )
    await Promise.all(calls.map(({ settled }) => settled))

    expect(calls.every(({ error }, index) => error === failures[index])).toBe(true)
    expect(registry.size).toBe(0)
  })

  it('without one, and without the registry’s, the error is `ERR_SESSION_NO_FACTORY`', async () => {
    const { registry } = creating({ create: undefined })
    const own = observe(registry.open('a', { create: () => Promise.reject(new Error('own')) }))
    const other = observe(registry.open('a'))
    await settle()

    expect(own.error).toEqual(new Error('own'))
    expect(other.error).toEqual(sessionError('ERR_SESSION_NO_FACTORY'))
  })
})
