import { expect, it, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { sessionError } from '../support/session-error.ts'
import { watch } from '../support/watched.ts'
import { type ContractHarness, eventually } from './harness.ts'
import { startTurn } from './started-turn.ts'
import { makeStreaming } from './streaming.ts'

/** Streams that are not read to their end: the reader leaves, or their signal aborts. */
export function describeLeftStreams(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options = {}) => makeStreaming(harness, options)

  it('that is left aborts its signal, runs its `finally`, and has not failed', async () => {
    const registry = await make()
    const log: string[] = []
    const left = deferred<AbortSignal>()
    for await (const part of registry.stream('a', async function* (session, signal) {
      try {
        session.value.push('question')
        yield 'first'
        yield 'second'
      } finally {
        left.resolve(signal)
        session.value.push('left')
      }
    })) {
      log.push(part)
      break
    }
    const signal = await left.promise

    expect(log).toEqual(['first'])
    expect(signal.reason).toMatchObject({ name: 'AbortError' })
    expect(await registry.get('a')).toEqual(['question', 'left'])
    expect(await registry.run('a', () => 'next')).toBe('next')
  })

  it('that is left is read to its end, and what it yields is dropped', async () => {
    const registry = await make()
    const parts = registry.stream('a', async function* (session) {
      try {
        yield 'first'
      } finally {
        yield 'dropped'
        session.value.push('cleaned up')
        yield 'dropped, too'
      }
    })
    await parts.next()

    expect(await parts.return('bye')).toEqual({ done: true, value: 'bye' })
    expect(await parts.next()).toEqual({ done: true, value: undefined })
    expect(await registry.get('a')).toEqual(['cleaned up'])
  })

  it('that is left in the middle of a part stops that, and drops it', async () => {
    const registry = await make()
    const parts = registry.stream('a', async function* (session, signal) {
      session.value.push('question')
      yield 'first'
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    })
    await parts.next()
    const pending = watch(parts.next())
    await harness.advance(unitMs)
    expect(await parts.return(undefined)).toEqual({ done: true, value: undefined })
    await pending.settled

    expect(pending.value).toEqual({ done: true, value: undefined })
    expect(await registry.get('a')).toEqual(['question'])
  })

  it('that is left before it began is taken out of the queue', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')
    const turn = vi.fn(async function* () {
      yield 1
    })
    const parts = registry.stream('a', turn)
    const pending = watch(parts.next())
    await parts.return(undefined)
    await pending.settled
    first.finish()
    await first.run.settled

    expect(pending.value).toEqual({ done: true, value: undefined })
    expect(await registry.run('a', (session) => [...session.value])).toEqual(['first'])
    expect(turn).not.toHaveBeenCalled()
  })

  it('that is left before the first `next()` never begins', async () => {
    const registry = await make()
    const turn = vi.fn(async function* () {
      yield 1
    })
    const parts = registry.stream('a', turn)
    await parts.return(undefined)

    expect(await parts.next()).toEqual({ done: true, value: undefined })
    expect(turn).not.toHaveBeenCalled()
    expect(await registry.has('a')).toBe(false)
  })

  it('whose signal aborts while nobody reads is ended, and the next `next()` rejects with the reason', async () => {
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
    // It has not failed: what it changed is kept.
    expect(await registry.run('a', (session) => [...session.value])).toEqual(['question'])
    const next = watch(parts.next())
    await next.settled

    expect(next.error).toBe('the visitor hung up')
    expect(await parts.next()).toEqual({ done: true, value: undefined })
  })

  it('whose signal aborts while it is read may finish as it likes', async () => {
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

  it('that nobody reads is ended by an interrupt', async () => {
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
    const next = watch(parts.next())
    await next.settled
    expect(next.error).toEqual(sessionError('ERR_SESSION_TURN_INTERRUPTED'))
  })

  it('that nobody reads is ended when its time is up, within the grace', async () => {
    const registry = await make({ maxTurnMs: 5 * unitMs })
    const parts = registry.stream('a', async function* (session) {
      try {
        yield 1
      } finally {
        session.value.push('cleaned up')
      }
    })
    await parts.next()
    const next = watch(registry.run('a', (session) => [...session.value]))
    await eventually(harness, () => expect(next.value).toEqual(['cleaned up']))
    const rest = watch(parts.next())
    await rest.settled

    expect(rest.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
  })
}
