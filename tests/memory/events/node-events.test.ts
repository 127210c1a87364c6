import { type EventEmitter, errorMonitor, on, once } from 'node:events'
import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { failureOf } from '../../support/session-error.ts'

const failure = new Error('the listener is broken')

describe("Node's own conventions", () => {
  it('hold for once and off', () => {
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

  it('hold for a listener of once that calls back: it is told once', () => {
    const { registry } = clockedRegistry()
    const recorded: string[] = []
    registry.once('created', ({ id }) => {
      recorded.push(id)
      registry.getOrCreate('b')
    })
    registry.getOrCreate('a')

    expect(recorded).toEqual(['a'])
  })

  it('hold for prependListener and for this', () => {
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
    'hold for %s, by which a listener hears of what comes from then on',
    (add) => {
      const registry = new SessionRegistry({ create: () => 0 })
      const recorded: string[] = []
      registry.getOrCreate('before')
      const given = registry[add]('created', ({ id }) => recorded.push(id))
      registry.getOrCreate('after')

      expect(given).toBe(registry)
      expect(recorded).toEqual(['after'])
      expect(registry.listenerCount('created')).toBe(add.includes('nce') ? 0 : 1)
    },
  )

  it('hold for a listener that comes after all others have left', () => {
    const registry = new SessionRegistry({ create: () => 0 })
    const recorded: string[] = []
    registry.on('created', ({ id }) => recorded.push(`first: ${id}`))
    registry.removeAllListeners()
    registry.getOrCreate('a')
    registry.on('created', ({ id }) => recorded.push(`second: ${id}`))
    registry.getOrCreate('b')

    expect(recorded).toEqual(['second: b'])
  })

  it('hold for errorMonitor, which watches and is no listener of error', () => {
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

  it('hold for events.once', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 500 })
    const expired = once(registry, 'expired')
    registry.set('a', ['hello'])
    clock.advance(1_000)
    const [session, reason] = await expired

    expect([session.id, session.value, reason]).toEqual(['a', ['hello'], 'idle'])
  })

  it('hold for events.once in that it rejects on an error', async () => {
    const { registry } = clockedRegistry()
    const ended = once(registry, 'ended')
    registry.on('created', () => {
      throw failure
    })
    registry.getOrCreate('a')

    expect(await failureOf(() => ended)).toBe(failure)
  })

  it('hold for events.on', async () => {
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
