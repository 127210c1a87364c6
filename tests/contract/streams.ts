import { AsyncLocalStorage } from 'node:async_hooks'
import type { Session, SessionErrorCode } from 'session-registry'
import { expect, it, vi } from 'vitest'
import { observe } from '../support/observed-promise.ts'
import { sessionError } from '../support/session-error.ts'
import { type ContractHarness, collect } from './harness.ts'
import { startTurn } from './started-turn.ts'
import { makeStreaming } from './streaming.ts'

export function describeStreams(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options = {}) => makeStreaming(harness, options)

  it('yields the turn’s parts, and keeps its changes', async () => {
    const registry = await make()
    const parts = registry.stream('a', async function* (session, signal) {
      expect(session.id).toBe('a')
      expect(signal.aborted).toBe(false)
      yield 'hel'
      yield 'lo'
      session.value.push('hello')
    })

    expect(await collect(parts)).toEqual(['hel', 'lo'])
    expect(await registry.get('a')).toEqual(['hello'])
    expect((await registry.peek('a'))?.held).toBe(false)
    expect(await parts.next()).toEqual({ done: true, value: undefined })
  })

  it('returns the turn’s result with the end', async () => {
    const registry = await make()
    const parts = registry.stream('a', async function* () {
      yield 1
      return 'total'
    })
    await parts.next()

    expect(await parts.next()).toEqual({ done: true, value: 'total' })
  })

  it('begins at the first `next()`, and not before', async () => {
    const registry = await make()
    const began = vi.fn()
    const parts = registry.stream('a', async function* () {
      began()
      yield 1
    })
    await harness.advance(unitMs)
    expect(began).not.toHaveBeenCalled()
    expect(await registry.has('a')).toBe(false)
    await parts.next()

    expect(began).toHaveBeenCalledTimes(1)
    expect((await registry.peek('a'))?.held).toBe(true)
    await parts.return(undefined)
  })

  it('excludes other turns until it has been read to its end', async () => {
    const registry = await make()
    const parts = registry.stream('a', async function* (session) {
      yield 1
      session.value.push('stream')
      yield 2
    })
    await parts.next()
    const next = observe(registry.run('a', (session) => [...session.value]))
    await parts.next()
    await harness.advance(unitMs)
    expect(next.state).toBe('pending')
    await parts.next()
    await next.settled

    expect(next.value).toEqual(['stream'])
  })

  it('waits for the previous turn', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')
    const parts = registry.stream('a', async function* (session) {
      yield [...session.value]
    })
    const part = observe(parts.next())
    await harness.advance(unitMs)
    expect(part.state).toBe('pending')
    first.finish()
    await part.settled

    expect(part.value).toEqual({ done: false, value: ['first'] })
    await parts.return(undefined)
  })

  it('failure: rejects with the very error, and the session lives on', async () => {
    const registry = await make()
    const error = new Error('the model is overloaded')
    const parts = registry.stream('a', async function* () {
      yield 'first'
      throw error
    })
    await parts.next()
    const failed = observe(parts.next())
    await failed.settled

    expect(failed.error).toBe(error)
    expect(await parts.next()).toEqual({ done: true, value: undefined })
    expect(await registry.run('a', () => 'next')).toBe('next')
  })

  it('async context: every part runs in that of the first `next()`', async () => {
    const registry = await make()
    const requests = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const parts = registry.stream('a', async function* () {
      try {
        for (;;) {
          seen.push(requests.getStore())
          // Also the turn: a nested run joins it.
          yield registry.run('a', () => 'joined')
        }
      } finally {
        seen.push(requests.getStore())
      }
    })
    await requests.run('first', () => parts.next())
    expect(await requests.run('second', () => parts.next())).toMatchObject({ value: 'joined' })
    await requests.run('third', () => parts.return(undefined))

    expect(seen).toEqual(['first', 'first', 'first'])
  })

  it('inside a turn: joins it', async () => {
    const registry = await make()
    const result = await registry.run('a', async (session: Session<string[]>) => {
      const parts = await collect(
        registry.stream('a', async function* (inner) {
          inner.value.push('inner')
          yield 1
        }),
      )
      return [parts, [...session.value]]
    })

    expect(result).toEqual([[1], ['inner']])
  })

  it('options: are those of `run`', async () => {
    const registry = await make()
    const turn = async function* (session: Session<string[]>) {
      yield [...session.value]
    }
    expect(await collect(registry.stream('b', turn, { create: false }))).toEqual([])
    expect(await registry.has('b')).toBe(false)
    const first = await startTurn(registry, 'a')
    const rejected = observe(registry.stream('a', turn, { whenBusy: 'reject' }).next())
    await rejected.settled

    expect(rejected.error).toEqual(sessionError('ERR_SESSION_BUSY'))
    expect(await collect(registry.stream('a', turn, { whenBusy: 'join' }))).toEqual([[]])
    first.finish()
    await first.run.settled
  })

  const nothing: unknown = async function* () {}
  const wrong: [name: string, SessionErrorCode, id: string, turn: unknown, options?: unknown][] = [
    ['an id', 'ERR_SESSION_ID_INVALID', '', nothing],
    ['a turn', 'ERR_SESSION_OPTION_INVALID', 'a', 5],
    ['a turn that is no async generator function', 'ERR_SESSION_OPTION_INVALID', 'a', () => 5],
    ['an option', 'ERR_SESSION_OPTION_INVALID', 'a', nothing, { whenBusy: 'now' }],
  ]

  it.each(wrong)(
    'invalid argument: rejects the first `next()`: %s',
    async (_name, code, id, turn, options) => {
      const registry = await make()
      const next = observe(registry.stream(id, turn as never, options as never).next())
      await next.settled

      expect(next.error).toEqual(sessionError(code))
      expect((await registry.peek('a'))?.held ?? false).toBe(false)
    },
  )

  it('passed to `run`: is refused, directly and as a promise', async () => {
    const registry = await make()
    async function* generator(): AsyncGenerator<number> {
      yield 1
    }
    for (const turn of [generator, async () => generator()]) {
      const run = observe(registry.run('a', turn))
      await run.settled
      expect(run.error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    }
    expect((await registry.peek('a'))?.held).toBe(false)
  })
}
