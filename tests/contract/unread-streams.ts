import { expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { sessionError } from '../support/session-error.ts'
import { type ContractHarness, eventually } from './harness.ts'
import { makeStreaming } from './streaming.ts'

/** A turn whose clean-up never settles. */
async function* neverCleanedUp() {
  try {
    yield 1
  } finally {
    await new Promise(() => {})
  }
}

/** Streams whose signal aborts, mostly while they are not read. */
export function describeUnreadStreams(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options = {}) => makeStreaming(harness, options)
  /** Returns a registry whose other limits are too long to end a turn. */
  const makePatient = (options: { readonly turnGraceMs: number }) =>
    make({ timeoutMs: 2_000 * unitMs, maxTurnMs: 1_000 * unitMs, ...options })

  it('aborted while it is not read: ends, and the next `next()` rejects with the reason', async () => {
    const registry = await make()
    const controller = new AbortController()
    const cleanedUp = deferred()
    const parts = registry.stream(
      'a',
      async function* (session) {
        try {
          session.value.push('question')
          yield 1
          yield 2
        } finally {
          cleanedUp.resolve()
        }
      },
      { signal: controller.signal },
    )
    await parts.next()
    controller.abort('the visitor hung up')
    await cleanedUp.promise
    // The turn has not failed, so its changes are saved.
    expect(await registry.run('a', (session) => [...session.value])).toEqual(['question'])
    const next = observe(parts.next())
    await next.settled

    expect(next.error).toBe('the visitor hung up')
    expect(await parts.next()).toEqual({ done: true, value: undefined })
  })

  it('aborted while it is read: may finish', async () => {
    const registry = await make()
    const controller = new AbortController()
    const parts = registry.stream(
      'a',
      async function* (_session, signal) {
        yield 'first'
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        yield 'stopped'
        return 'in order'
      },
      { signal: controller.signal },
    )
    await parts.next()
    const pending = parts.next()
    await harness.advance(unitMs)
    controller.abort('stop')

    expect(await pending).toEqual({ done: false, value: 'stopped' })
    expect(await parts.next()).toEqual({ done: true, value: 'in order' })
  })

  it('aborted between two reads: may finish its clean-up within the grace', async () => {
    const registry = await make()
    const controller = new AbortController()
    const gate = deferred()
    const parts = registry.stream(
      'a',
      async function* (session) {
        try {
          yield 1
        } finally {
          await gate.promise
          session.value.push('cleaned up')
        }
      },
      { signal: controller.signal },
    )
    await parts.next()
    controller.abort('the visitor hung up')
    const rest = observe(parts.next())
    const next = observe(registry.run('a', (session) => [...session.value]))
    await harness.advance(unitMs)
    expect([rest.state, next.state]).toEqual(['pending', 'pending'])
    gate.resolve()
    await Promise.all([rest.settled, next.settled])

    expect(rest.error).toBe('the visitor hung up')
    expect(next.value).toEqual(['cleaned up'])
    expect(await parts.next()).toEqual({ done: true, value: undefined })
  })

  it('aborted between two reads: loses its session when the grace ends, and not before', async () => {
    const registry = await makePatient({ turnGraceMs: 8 * unitMs })
    const controller = new AbortController()
    const parts = registry.stream('a', neverCleanedUp, { signal: controller.signal })
    await parts.next()
    controller.abort('the visitor hung up')
    const rest = observe(parts.next())
    const next = observe(registry.run('a', () => 'next'))
    await harness.advance(2 * unitMs)
    expect([rest.state, next.state]).toEqual(['pending', 'pending'])
    await eventually(harness, () => expect(rest.state).toBe('rejected'))
    await next.settled

    expect(rest.error).toBe('the visitor hung up')
    expect(next.value).toBe('next')
    expect(await parts.next()).toEqual({ done: true, value: undefined })
    // The turn has not exceeded `maxTurnMs`.
    expect(await registry.stats()).toMatchObject({ turnTimeouts: 0, running: 0, waiting: 0 })
  })

  it('left after the abort: `return()` rejects if the clean-up outlasts the grace', async () => {
    const registry = await makePatient({ turnGraceMs: 2 * unitMs })
    const controller = new AbortController()
    const parts = registry.stream('a', neverCleanedUp, { signal: controller.signal })
    await parts.next()
    controller.abort('the visitor hung up')
    const left = observe(parts.return(undefined))
    await eventually(harness, () => expect(left.state).toBe('rejected'))

    expect(left.error).toBe('the visitor hung up')
    expect(await registry.run('a', () => 'next')).toBe('next')
  })

  it('interrupted between two reads: delays the next turn by the grace at most', async () => {
    const registry = await makePatient({ turnGraceMs: 2 * unitMs })
    const parts = registry.stream('a', neverCleanedUp)
    await parts.next()
    const next = observe(registry.run('a', () => 'next', { whenBusy: 'interrupt' }))
    await eventually(harness, () => expect(next.value).toBe('next'))
    const rest = observe(parts.next())
    await rest.settled

    expect(rest.error).toEqual(sessionError('ERR_SESSION_TURN_INTERRUPTED'))
  })

  it('its session deleted: rejects at the end of the grace, whatever its clean-up does', async () => {
    const registry = await makePatient({ turnGraceMs: 2 * unitMs })
    const aborted = deferred()
    const parts = registry.stream('a', async function* (_session, signal) {
      signal.addEventListener('abort', () => aborted.resolve())
      try {
        yield 1
      } finally {
        await new Promise(() => {})
      }
    })
    await parts.next()
    await registry.delete('a')
    await aborted.promise
    const rest = observe(parts.next())
    await eventually(harness, () => expect(rest.state).toBe('rejected'))

    expect(rest.error).toEqual(sessionError('ERR_SESSION_ENDED'))
  })

  it('nested in a turn: delays its end by the grace at most', async () => {
    const registry = await makePatient({ turnGraceMs: 2 * unitMs })
    const controller = new AbortController()
    const outer = observe(
      registry.run('a', async (session) => {
        const parts = registry.stream('a', neverCleanedUp, { signal: controller.signal })
        await parts.next()
        controller.abort('enough')
        session.value.push('kept')
        return parts.next().catch((error: unknown) => error)
      }),
    )
    await eventually(harness, () => expect(outer.state).toBe('fulfilled'))

    expect(outer.value).toBe('enough')
    expect(await registry.run('a', (session) => [...session.value])).toEqual(['kept'])
  })

  it('not read: is ended by an interrupt', async () => {
    const registry = await make()
    const parts = registry.stream('a', async function* (session) {
      try {
        yield 1
      } finally {
        session.value.push('interrupted')
      }
    })
    await parts.next()

    expect(await registry.run('a', (session) => [...session.value], { whenBusy: 'interrupt' })).toEqual([
      'interrupted',
    ])
    const next = observe(parts.next())
    await next.settled
    expect(next.error).toEqual(sessionError('ERR_SESSION_TURN_INTERRUPTED'))
  })

  it('not read: is ended at its limit, within the grace', async () => {
    const registry = await make({ maxTurnMs: 5 * unitMs })
    const parts = registry.stream('a', async function* (session) {
      try {
        yield 1
      } finally {
        session.value.push('cleaned up')
      }
    })
    await parts.next()
    const next = observe(registry.run('a', (session) => [...session.value]))
    await eventually(harness, () => expect(next.value).toEqual(['cleaned up']))
    const rest = observe(parts.next())
    await rest.settled

    expect(rest.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
  })
}
