import { isSessionRegistryError } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const timedOut = sessionError('ERR_SESSION_LOAD_TIMEOUT')

function loading(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const store = new ManualLoad()
  return { store, ...clockedRegistry({ load: store.load, loadTimeoutMs: 5_000, ...options }) }
}

describe('loadTimeoutMs', () => {
  it('rejects all waiting calls exactly then, and aborts the load', async () => {
    const { registry, store, clock } = loading()
    const waits = [observe(registry.open('a')), observe(registry.run('a', () => {}))]
    await clock.advanceAsync(4_999)
    expect(waits.map(({ state }) => state)).toEqual(['pending', 'pending'])
    expect(store.at(0).signal.aborted).toBe(false)
    await clock.advanceAsync(1)

    expect(waits.map(({ error }) => error)).toEqual([timedOut, timedOut])
    expect(isSessionRegistryError(waits[0]?.error) && waits[0].error.statusCode).toBe(504)
    expect(store.at(0).signal.reason).toBe(waits[0]?.error)
  })

  it('is 30 seconds by default', async () => {
    const { registry, clock } = loading({ loadTimeoutMs: undefined })
    const opened = observe(registry.open('a'))
    await clock.advanceAsync(29_999)
    expect(opened.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(opened.error).toEqual(timedOut)
  })

  it('frees the id: the next call loads again, and a late result changes nothing', async () => {
    const { registry, store, clock, events } = loading()
    observe(registry.open('a'))
    await clock.advanceAsync(5_000)
    expect(registry.size).toBe(0)
    const again = registry.open('a')
    store.at(0).resolve(['late'])
    await settle()
    expect(registry.has('a')).toBe(false)
    store.at(1).resolve(['loaded'])

    expect(await again).toEqual(['loaded'])
    expect(events.take()).toEqual(['created a'])
  })

  it('counts from each call of the hook', async () => {
    const { registry, store, clock } = loading()
    const opened = observe(registry.open('a'))
    await clock.advanceAsync(4_000)
    registry.delete('a')
    await clock.advanceAsync(4_000)
    expect(opened.state).toBe('pending')
    store.at(1).resolve(['loaded'])
    await opened.settled

    expect(opened.value).toEqual(['loaded'])
  })

  it('a call that comes later waits for the remaining time', async () => {
    const { registry, clock } = loading()
    observe(registry.open('a'))
    await clock.advanceAsync(3_000)
    const late = observe(registry.open('a'))
    await clock.advanceAsync(2_000)

    expect(late.error).toEqual(timedOut)
  })

  it('does not include the wait for an archive or for capacity', async () => {
    const archives: (() => void)[] = []
    const { registry, store, clock } = loading({
      maxSessions: 1,
      archiveTimeoutMs: 60_000,
      archive: () => new Promise<void>((resolve) => archives.push(resolve)),
    })
    registry.set('first', [])
    const opened = observe(registry.open('a'))
    store.at(0).resolve(['loaded'])
    await clock.advanceAsync(20_000)
    expect(opened.state).toBe('pending')
    archives[0]?.()
    await opened.settled

    expect(opened.value).toEqual(['loaded'])
  })

  it('leaves no timer behind when the load settles, when no call waits, or when the registry closes', async () => {
    const settling = loading()
    const opened = settling.registry.open('a')
    settling.store.at(0).resolve(undefined)
    await opened
    settling.registry.delete('a')
    expect(settling.clock.pending).toBe(0)

    const { registry, clock, store } = loading()
    const controller = new AbortController()
    observe(registry.open('a', { signal: controller.signal }))
    observe(registry.open('b'))
    controller.abort()
    store.at(0).reject(new Error('aborted'))
    await settle()
    expect(clock.pending).toBe(1)
    await registry.close()
    expect(clock.pending).toBe(0)
  })

  it('a failed load is logged at debug, with the error and without the id', async () => {
    const logger = new RecordingLogger()
    const { registry, clock } = loading({ logger })
    observe(registry.open('ada'))
    await clock.advanceAsync(5_000)

    expect(logger.at('debug')).toEqual([
      {
        level: 'debug',
        fields: { registry: 'sessions', session: registry.ref('ada'), err: timedOut },
        message: 'load failed',
      },
    ])
  })
})
