import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { tracingChannels } from '../../../src/core/watching/channels.ts'
import { Trace, type TraceMessage } from '../../../src/core/watching/trace.ts'

const channels = tracingChannels.archive
const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

/** A trace, and the names of the channels on which it publishes. */
function traced() {
  const seen: string[] = []
  const message: TraceMessage = { registry: 'traced', ref: 'ref' }
  for (const part of parts) {
    const record = (published: unknown) => {
      if (published === message) seen.push(part)
    }
    channels[part].subscribe(record)
    onTestFinished(() => {
      channels[part].unsubscribe(record)
    })
  }
  const trace = new Trace(channels, message, { callOutside: (action) => action() })
  return { trace, message, seen }
}

describe('a traced operation', () => {
  it('that waits for a promise: publishes its outcome when it settles, once', () => {
    const { trace, message, seen } = traced()
    const result = Promise.resolve()
    expect(trace.call(() => result)).toBe(result)
    expect(seen).toEqual(['start', 'end'])
    trace.succeed()
    trace.fail(new Error('too late'))
    trace.succeed()

    expect(seen).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(message).toEqual({ registry: 'traced', ref: 'ref' })
  })

  it('that fails: has the error from `error` on', () => {
    const { trace, message, seen } = traced()
    const failure = new Error('the disk is full')
    void trace.call(() => Promise.resolve())
    expect(message).not.toHaveProperty('error')
    trace.fail(failure)

    expect(seen).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(message.error).toBe(failure)
  })

  it('that fails with `undefined`: has an error all the same', () => {
    const { trace, message, seen } = traced()
    void trace.call(() => Promise.resolve())
    trace.fail(undefined)

    expect(seen).toContain('error')
    expect(Object.hasOwn(message, 'error')).toBe(true)
  })

  it('whose function throws: is not over until it is told so', () => {
    const { trace, seen } = traced()
    const failure = new Error('thrown')
    const call = () =>
      trace.call(() => {
        throw failure
      })
    expect(call).toThrow(failure)
    expect(seen).toEqual(['start', 'end'])
    trace.fail(failure)

    expect(seen).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
  })

  it('that may be synchronous, and returns no promise: is over at `end`', () => {
    const { trace, message, seen } = traced()
    expect(trace.call(() => 'made', true)).toBe('made')
    trace.succeed()

    expect(seen).toEqual(['start', 'end'])
    expect(message.settled).toBe(true)
  })

  it('that may be synchronous, and throws: `error` comes before `end`', () => {
    const { trace, message, seen } = traced()
    const failure = new Error('thrown')
    const call = () =>
      trace.call(() => {
        throw failure
      }, true)
    expect(call).toThrow(failure)
    trace.fail(new Error('told once more'))

    expect(seen).toEqual(['start', 'error', 'end'])
    expect(message).toMatchObject({ error: failure, settled: true })
  })

  it('that may be synchronous, and returns a promise: is over when it is told so', () => {
    const { trace, message, seen } = traced()
    void trace.call(() => Promise.resolve(), true)
    expect(seen).toEqual(['start', 'end'])
    trace.succeed()

    expect(seen).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(message).not.toHaveProperty('settled')
  })

  it('aborted by its own function: publishes its outcome after `end`', () => {
    const { trace, message, seen } = traced()
    const reason = new Error('deleted')
    void trace.call(() => {
      trace.fail(reason)
      return Promise.resolve()
    })

    expect(seen).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(message.error).toBe(reason)
  })

  it('aborted by its own function, which returns no promise: failed by the abort', () => {
    const { trace, message, seen } = traced()
    const reason = new Error('deleted')
    const call = () => {
      trace.fail(reason)
      return 'made'
    }
    trace.call(call, true)

    expect(seen).toEqual(['start', 'error', 'end'])
    expect(message).toMatchObject({ error: reason, settled: true })
  })

  it('whose trace began elsewhere: only calls its function', () => {
    const { trace, seen } = traced()
    void trace.call(() => Promise.resolve())
    trace.call(() => seen.push('called'))

    expect(seen).toEqual(['start', 'end', 'called'])
  })

  it('publishes its outcome in the context of its function, wherever it settles', () => {
    const storage = new AsyncLocalStorage<string>()
    const stores: unknown[] = []
    const record = () => stores.push(storage.getStore())
    for (const part of parts) channels[part].subscribe(record)
    channels.start.bindStore(storage, (message) => `operation of ${(message as TraceMessage).registry}`)
    onTestFinished(() => {
      for (const part of parts) channels[part].unsubscribe(record)
      channels.start.unbindStore(storage)
    })
    const { trace } = traced()
    storage.run('caller', () => trace.call(() => stores.push(storage.getStore())))
    storage.run('another visitor', () => trace.fail(new Error('deleted')))

    expect(stores).toEqual(Array.from({ length: 6 }, () => 'operation of traced'))
  })
})
