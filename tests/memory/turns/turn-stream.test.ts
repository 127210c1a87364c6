import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

describe('a stream', () => {
  it('holds its session before the first `next()` returns', () => {
    const { registry } = clockedRegistry()
    registry.getOrCreate('a')
    const began = vi.fn()
    observe(
      registry
        .stream('a', async function* () {
          began()
          yield 1
        })
        .next(),
    )

    expect(began).toHaveBeenCalledTimes(1)
    expect(registry.peek('a')?.held).toBe(true)
    expect(registry.stats()).toMatchObject({ running: 1, turns: 1 })
  })

  it('answers calls of `next()` in order, however many are made at once', async () => {
    const { registry } = clockedRegistry()
    const components = registry.stream('a', async function* () {
      yield 1
      await settle()
      yield 2
      return 'end'
    })

    expect(
      await Promise.all([components.next(), components.next(), components.next(), components.next()]),
    ).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: 'end' },
      { done: true, value: undefined },
    ])
  })

  it('`return()`: drops pending parts, and answers in order', async () => {
    const { registry } = clockedRegistry()
    const gate = deferred()
    const components = registry.stream('a', async function* () {
      await gate.promise
      yield 'too late'
    })
    const order: string[] = []
    const asked = [components.next(), components.next(), components.return('bye'), components.next()]
    asked.map((answer, index) => answer.then(({ value }) => order.push(`${index} ${value}`)))
    gate.resolve()

    expect((await Promise.all(asked)).map(({ done }) => done)).toEqual([true, true, true, true])
    expect(order).toEqual(['0 undefined', '1 undefined', '2 bye', '3 undefined'])
  })

  it('`return()`: rejects with an error of its clean-up, and the value is saved all the same', async () => {
    const { registry } = clockedRegistry({ rollback: true })
    const error = new Error('could not close the file')
    const components = registry.stream('a', async function* (session) {
      try {
        session.value.push('question')
        yield 1
      } finally {
        await settle()
        // biome-ignore lint/correctness/noUnsafeFinally: what a careless clean-up does.
        throw error
      }
    })
    await components.next()

    expect(await failureOf(() => components.return(undefined))).toBe(error)
    expect(await components.next()).toEqual({ done: true, value: undefined })
    expect(registry.get('a')).toEqual(['question'])
    expect(registry.stats().held).toBe(0)
  })

  it('`return()`: hides an error of the clean-up caused by the abort', async () => {
    const { registry } = clockedRegistry()
    const components = registry.stream('a', async function* () {
      try {
        yield 'part'
      } finally {
        // As a client whose request is aborted while its response is read.
        await Promise.reject(new DOMException('The user aborted a request', 'AbortError'))
      }
    })
    expect(await components.next()).toEqual({ done: false, value: 'part' })

    expect(await components.return(undefined)).toEqual({ done: true, value: undefined })
    expect(registry.stats().held).toBe(0)
  })

  it('`throw()`: throws at the `yield`, where it may be caught', async () => {
    const { registry } = clockedRegistry()
    const components = registry.stream('a', async function* () {
      let caught: unknown
      try {
        yield 1
      } catch (error) {
        caught = error
      }
      yield caught
    })
    await components.next()

    expect(await components.throw('stop')).toEqual({ done: false, value: 'stop' })
    const last = observe(components.throw('again'))
    await last.settled
    expect(last.error).toBe('again')
    expect(registry.stats().held).toBe(0)
  })

  it('`throw()` before it began: rejects, and removes it from the queue', async () => {
    const { registry } = clockedRegistry()
    const gate = deferred()
    const running = registry.run('a', () => gate.promise)
    const turn = vi.fn(async function* () {
      yield 1
    })
    const waiting = registry.stream('a', turn)
    const next = waiting.next()

    expect(await failureOf(() => waiting.throw('no'))).toBe('no')
    expect(await next).toEqual({ done: true, value: undefined })
    expect(await failureOf(() => registry.stream('a', turn).throw('never begun'))).toBe('never begun')
    gate.resolve()
    await running
    expect(turn).not.toHaveBeenCalled()
    expect(registry.stats()).toMatchObject({ waiting: 0, held: 0 })
  })

  it('`await using`: ends it', async () => {
    const { registry } = clockedRegistry()
    const cleanedUp = vi.fn()
    {
      await using components = registry.stream('a', async function* () {
        try {
          yield 1
        } finally {
          cleanedUp()
        }
      })
      await components.next()
    }

    expect(cleanedUp).toHaveBeenCalledTimes(1)
    expect(registry.stats().held).toBe(0)
  })

  it('rejects the pending `next()` with the reason of its own signal while it waits', async () => {
    const { registry } = clockedRegistry()
    const gate = deferred()
    const running = registry.run('a', () => gate.promise)
    const controller = new AbortController()
    const components = registry.stream(
      'a',
      async function* () {
        yield 1
      },
      { signal: controller.signal },
    )
    const next = observe(components.next())
    controller.abort('hung up')
    await next.settled

    expect(next.error).toBe('hung up')
    expect(await components.next()).toEqual({ done: true, value: undefined })
    gate.resolve()
    await running
  })

  it('whose reader does not return after an abort is ended, although it yielded once more', async () => {
    const { registry } = clockedRegistry()
    const log: string[] = []
    const components = registry.stream('a', async function* (_session, signal) {
      try {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        yield 'last words'
        log.push('read on')
      } finally {
        log.push('ended')
      }
    })
    const words = components.next()
    const next = registry.run('a', () => 'next', { whenBusy: 'interrupt' })

    expect(await words).toEqual({ done: false, value: 'last words' })
    expect(await next).toBe('next')
    expect(log).toEqual(['ended'])
    expect(await failureOf(() => components.next())).toEqual(sessionError('ERR_SESSION_TURN_INTERRUPTED'))
  })

  it('`return()` after its signal ended it: hides the reason', async () => {
    const { registry } = clockedRegistry()
    const controller = new AbortController()
    const { signal } = controller
    const components = registry.stream(
      'a',
      async function* () {
        yield 1
      },
      { signal },
    )
    await components.next()
    controller.abort('hung up')
    await settle()

    expect(await components.return(undefined)).toEqual({ done: true, value: undefined })
    expect(await components.next()).toEqual({ done: true, value: undefined })
  })

  it('aborts no other signal than its own: the caller’s stays unchanged', async () => {
    const { registry } = clockedRegistry()
    const { signal } = new AbortController()
    const removed = vi.spyOn(signal, 'removeEventListener')
    const components = registry.stream(
      'a',
      async function* () {
        yield 1
      },
      { signal },
    )
    await components.next()
    await components.return(undefined)

    expect(signal.aborted).toBe(false)
    expect(removed).toHaveBeenCalledTimes(1)
  })
})
