import { type EventEmitter, errorMonitor, on, once } from 'node:events'
import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { failureOf } from '../../support/session-error.ts'

const failure = new Error('the listener is broken')

describe('Node’s event conventions', () => {
  it('once and off: work', () => {
    const { registry } = clockedRegistry()
    const recorded: string[] = []
    const listener = ({ id }: { id: string }) => recorded.push(id)
    registry.once('created', listener)
    registry.getOrCreate('a')
    registry.getOrCreate('b')
    registry.on('created', listener)
    registry.off('created', listener)
    registry.getOrCreate('c')

    expect(recorded).toEqual(['a'])
  })

  it('once: a re-entrant listener is called once', () => {
    const { registry } = clockedRegistry()
    const recorded: string[] = []
    registry.once('created', ({ id }) => {
      recorded.push(id)
      registry.getOrCreate('b')
    })
    registry.getOrCreate('a')

    expect(recorded).toEqual(['a'])
  })

  it('prependListener and `this`: work', () => {
    const { registry } = clockedRegistry()
    const recorded: unknown[] = []
    registry.on('created', function (this: unknown) {
      recorded.push(this)
    })
    registry.prependListener('created', () => recorded.push('first'))
    registry.getOrCreate('a')

    expect(recorded).toEqual(['first', registry])
  })

  it.each(['addListener', 'on', 'once', 'prependListener', 'prependOnceListener'] as const)(
    '%s: the listener is called from the next event on',
    (add) => {
      const registry = new SessionRegistry({ create: () => 0 })
      const recorded: string[] = []
      registry.getOrCreate('before')
      const given = registry[add as 'on']('created', ({ id }) => recorded.push(id))
      registry.getOrCreate('after')

      expect(given).toBe(registry)
      expect(recorded).toEqual(['after'])
      expect(registry.listenerCount('created')).toBe(add.includes('nce') ? 0 : 1)
    },
  )

  it('a listener added after all others were removed: is called', () => {
    const registry = new SessionRegistry({ create: () => 0 })
    const recorded: string[] = []
    registry.on('created', ({ id }) => recorded.push(`first: ${id}`))
    registry.removeAllListeners()
    registry.getOrCreate('a')
    registry.on('created', ({ id }) => recorded.push(`second: ${id}`))
    registry.getOrCreate('b')

    expect(recorded).toEqual(['second: b'])
  })

  it('errorMonitor: observes, and does not count as a listener of `error`', () => {
    const logger = new RecordingLogger()
    const { registry } = clockedRegistry({ logger })
    const recorded: unknown[] = []
    const emitter = registry as unknown as EventEmitter
    emitter.on(errorMonitor, (error: unknown) => recorded.push(error))
    registry.on('created', () => {
      throw failure
    })
    registry.getOrCreate('a')

    expect(recorded).toEqual([failure])
    expect(registry.stats().listenerErrors).toBe(1)
  })

  it('events.once: resolves with the event', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 500 })
    const expired = once(registry, 'expired')
    registry.set('a', ['hello'])
    clock.advance(1_000)
    const [session, reason] = await expired

    expect([session.id, session.value, reason]).toEqual(['a', ['hello'], 'idle'])
  })

  it('events.once: rejects on an `error`', async () => {
    const { registry } = clockedRegistry()
    const ended = once(registry, 'ended')
    registry.on('created', () => {
      throw failure
    })
    registry.getOrCreate('a')

    expect(await failureOf(() => ended)).toBe(failure)
  })

  it('events.on: iterates events', async () => {
    const { registry } = clockedRegistry()
    const controller = new AbortController()
    const ends = on(registry, 'ended', { signal: controller.signal })
    for (const id of ['a', 'b']) {
      registry.set(id, [])
      registry.delete(id)
    }
    const recorded: string[] = []
    await failureOf(async () => {
      for await (const [session, reason] of ends) {
        recorded.push(`${session.id} ${reason}`)
        if (recorded.length === 2) controller.abort()
      }
    })

    expect(recorded).toEqual(['a deleted', 'b deleted'])
    expect(registry.listenerCount('ended')).toBe(1)
  })
})
