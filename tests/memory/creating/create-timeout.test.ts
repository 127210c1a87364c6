import { describe, expect, it } from 'vitest'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const timedOut = sessionError('ERR_SESSION_LOAD_TIMEOUT')

function creating(options: Parameters<typeof disposingRegistry>[0] = {}) {
  const making = new ManualCreate()
  return {
    making,
    ...disposingRegistry({ mode: 'sync', create: making.create, loadTimeoutMs: 700, ...options }),
  }
}

describe('an asynchronous `create` that takes longer than `loadTimeoutMs`', () => {
  it('rejects all that wait, and its signal aborts with the error', async () => {
    const { registry, making, clock, lines } = creating()
    const opened = observe(registry.open('a'))
    await clock.advanceAsync(300)
    const ran = observe(registry.run('a', () => {}))
    await clock.advanceAsync(399)
    expect([opened.state, ran.state]).toEqual(['pending', 'pending'])
    await clock.advanceAsync(1)

    expect([opened.error, ran.error]).toEqual([timedOut, timedOut])
    expect(making.at(0).signal.reason).toBe(opened.error)
    expect(opened.error).toMatchObject({ statusCode: 504 })
    expect(lines).toEqual([])
    expect(registry.stats()).toMatchObject({ size: 0, waiting: 0 })
  })

  it('has a value that comes later disposed of, and the next call makes its own', async () => {
    const { registry, making, clock, disposer } = creating()
    observe(registry.open('a'))
    await clock.advanceAsync(700)
    const next = observe(registry.open('a'))
    making.at(0).resolve(['late'])
    making.at(1).resolve(['new'])
    await settle()

    expect(next.value).toEqual(['new'])
    expect(disposer.calls).toMatchObject([{ value: ['late'], reason: 'deleted', archived: false }])
  })

  it('frees its place', async () => {
    const { registry, making, clock } = creating({ maxSessions: 1 })
    observe(registry.open('a'))
    const next = observe(registry.open('b'))
    await clock.advanceAsync(700)
    making.at(1).resolve(['b'])
    await settle()

    expect(next.value).toEqual(['b'])
  })

  it('of one call alone: the others go on with theirs', async () => {
    const { registry, making, clock } = creating()
    const own = observe(registry.open('a', { create: () => new Promise<never>(() => {}) }))
    const other = observe(registry.open('a'))
    await clock.advanceAsync(700)
    expect([own.error, other.state]).toEqual([timedOut, 'pending'])
    making.at(0).resolve(['made'])
    await settle()

    expect(other.value).toEqual(['made'])
  })

  it('half a minute by default', async () => {
    const { registry, clock } = creating({ loadTimeoutMs: undefined })
    const opened = observe(registry.open('a'))
    await clock.advanceAsync(29_999)
    expect(opened.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(opened.error).toEqual(timedOut)
  })

  it('is timed from its call, not from when it waits for a place', async () => {
    const { registry, making, clock, disposer } = creating({ maxSessions: 1, mode: 'manual' })
    registry.set('first', ['first'])
    const opened = observe(registry.open('a'))
    await clock.advanceAsync(5_000)
    disposer.at(0).resolve()
    await clock.advanceAsync(699)
    making.at(0).resolve(['made'])
    await settle()

    expect(opened.value).toEqual(['made'])
  })

  it('a synchronous one is not timed: no timer is started for it', async () => {
    const { registry, clock } = creating({ create: () => ['made'], timeoutMs: Number.POSITIVE_INFINITY })
    await registry.open('a')

    expect(clock.pending).toBe(0)
  })
})
