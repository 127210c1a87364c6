import { expect, it, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import type { ContractHarness } from './harness.ts'
import { startTurn } from './started-turn.ts'
import { makeStreaming } from './streaming.ts'

/** Streams whose reader leaves before their end. */
export function describeLeftStreams(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options = {}) => makeStreaming(harness, options)

  it('left early: aborts its signal, runs its `finally`, and has not failed', async () => {
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

  it('left early: is read to its end, and what it yields is dropped', async () => {
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

  it('left in the middle of a part: stops that part, and drops it', async () => {
    const registry = await make()
    const parts = registry.stream('a', async function* (session, signal) {
      session.value.push('question')
      yield 'first'
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    })
    await parts.next()
    const pending = observe(parts.next())
    await harness.advance(unitMs)
    expect(await parts.return(undefined)).toEqual({ done: true, value: undefined })
    await pending.settled

    expect(pending.value).toEqual({ done: true, value: undefined })
    expect(await registry.get('a')).toEqual(['question'])
  })

  it('left before it began: is removed from the queue', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')
    const turn = vi.fn(async function* () {
      yield 1
    })
    const parts = registry.stream('a', turn)
    const pending = observe(parts.next())
    await parts.return(undefined)
    await pending.settled
    first.finish()
    await first.run.settled

    expect(pending.value).toEqual({ done: true, value: undefined })
    expect(await registry.run('a', (session) => [...session.value])).toEqual(['first'])
    expect(turn).not.toHaveBeenCalled()
  })

  it('left before the first `next()`: never begins', async () => {
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
}
