import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const limits = { timeoutMs: Number.POSITIVE_INFINITY, maxTurnMs: 1_000, turnGraceMs: 500 }

describe('a stream past its limit', () => {
  it('that does not end within the grace is released, and its reader’s `next()` rejects', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const components = registry.stream('a', async function* () {
      await new Promise(() => {})
      yield 1
    })
    const pending = observe(components.next())
    const next = observe(registry.run('a', () => 'next'))
    await clock.advanceAsync(1_499)
    expect([pending.state, next.state]).toEqual(['pending', 'pending'])
    await clock.advanceAsync(1)

    expect(pending.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    expect(next.value).toBe('next')
    expect(await components.next()).toEqual({ done: true, value: undefined })
  })

  it('still runs its `finally`, and drops what it yields late', async () => {
    const { registry, clock } = clockedRegistry({ ...limits, turnGraceMs: 0 })
    const gate = deferred()
    const cleanedUp = vi.fn()
    const components = registry.stream('a', async function* () {
      try {
        await gate.promise
        yield 'late'
        yield 'never'
      } finally {
        cleanedUp()
      }
    })
    const pending = observe(components.next())
    await clock.advanceAsync(1_000)
    expect(pending.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    gate.resolve()
    await settle()

    expect(cleanedUp).toHaveBeenCalledTimes(1)
    expect(await components.next()).toEqual({ done: true, value: undefined })
  })

  it('that yields after its signal aborted has its grace from the moment at which reading stops', async () => {
    const { registry, clock } = clockedRegistry(limits)
    const controller = new AbortController()
    const components = registry.stream(
      'a',
      async function* (_session, signal) {
        try {
          yield 1
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          await gate.promise
          yield 2
        } finally {
          await new Promise(() => {})
        }
      },
      { signal: controller.signal },
    )
    const gate = deferred()
    await components.next()
    const second = observe(components.next())
    await settle()
    controller.abort('stop')
    await clock.advanceAsync(600)
    gate.resolve()
    await second.settled
    expect(second.value).toEqual({ done: false, value: 2 })
    // The stream waits for one iteration of the event loop before it takes its reader to have stopped.
    await settle()
    const next = observe(registry.run('a', () => 'next'))
    await clock.advanceAsync(499)
    expect(next.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(next.value).toBe('next')
    expect(await failureOf(() => components.next())).toBe('stop')
    expect(registry.stats().turnTimeouts).toBe(0)
  })

  it('that is aborted between two reads is released at once without a grace', async () => {
    const { registry } = clockedRegistry({ ...limits, turnGraceMs: 0 })
    const controller = new AbortController()
    const cleanedUp = vi.fn()
    const components = registry.stream(
      'a',
      async function* () {
        try {
          yield 1
        } finally {
          cleanedUp()
          await new Promise(() => {})
        }
      },
      { signal: controller.signal },
    )
    await components.next()
    const next = observe(registry.run('a', () => 'next'))
    controller.abort('stop')
    await settle()

    expect(next.value).toBe('next')
    expect(cleanedUp).toHaveBeenCalledTimes(1)
    expect(await failureOf(() => components.next())).toBe('stop')
    expect(await components.next()).toEqual({ done: true, value: undefined })
  })

  it('whose clean-up outlasts the grace after an abort is rolled back', async () => {
    const { registry, clock } = clockedRegistry({ ...limits, rollback: true })
    const controller = new AbortController()
    const components = registry.stream(
      'a',
      async function* (session) {
        try {
          session.value.push('question')
          yield 1
        } finally {
          await new Promise(() => {})
        }
      },
      { signal: controller.signal },
    )
    await components.next()
    controller.abort('stop')
    await clock.advanceAsync(500)

    expect(registry.get('a')).toEqual([])
    expect(await failureOf(() => components.next())).toBe('stop')
  })

  it('that is not read is ended by the deadline of `close`, and its session with it', async () => {
    const { registry, clock, events } = clockedRegistry(limits)
    const components = registry.stream('a', async function* () {
      yield 1
    })
    await components.next()
    const report = observe(registry.close({ deadlineMs: 100 }))
    await clock.advanceAsync(100)

    expect(report.value).toMatchObject({ ended: 1 })
    expect(events.take()).toEqual(['created a', 'ended a closed'])
    expect(await failureOf(() => components.next())).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(await failureOf(() => registry.stream('a', async function* () {}).next())).toEqual(
      sessionError('ERR_SESSION_REGISTRY_CLOSED'),
    )
  })

  it('that is not read is ended when its session is deleted', async () => {
    const { registry } = clockedRegistry()
    const cleanedUp = deferred()
    const components = registry.stream('a', async function* () {
      try {
        yield 1
      } finally {
        cleanedUp.resolve()
      }
    })
    await components.next()
    registry.delete('a')
    await cleanedUp.promise

    expect(await failureOf(() => components.next())).toEqual(sessionError('ERR_SESSION_ENDED'))
  })
})
