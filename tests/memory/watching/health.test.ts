import type { SessionRegistryOptions } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { say, storedRegistry } from '../../support/stored-registry.ts'

const ready = { live: true, ready: true }
const closing = { live: true, ready: false, why: 'closing' }
const full = { live: true, ready: false, why: 'full' }
const failing = { live: true, ready: false, why: 'store-failing' }

describe('health(): closing', () => {
  it('from the call of `close` on, and after it', async () => {
    const { registry } = clockedRegistry()
    const turn = beginTurn(registry, 'a')
    expect(registry.health()).toEqual(ready)
    const closed = registry.close()
    expect(registry.health()).toEqual(closing)
    turn.end.resolve('')
    await closed

    expect(registry.health()).toEqual(closing)
  })

  it('comes before all other reasons', async () => {
    const { registry } = clockedRegistry({ maxSessions: 1 })
    registry.set('a', [])
    const hold = registry.hold('a')
    expect(registry.health()).toEqual(full)
    const closed = registry.close()
    expect(registry.health()).toEqual(closing)
    hold?.release()
    await closed
  })
})

describe('health(): full', () => {
  it('a registry without a cap: never', () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    registry.hold('a')

    expect(registry.health()).toEqual(ready)
  })

  it('with `evict`: once every session is held, until one is released', async () => {
    const { registry } = clockedRegistry({ maxSessions: 2 })
    registry.set('a', [])
    registry.set('b', [])
    const hold = registry.hold('a')
    expect(registry.health()).toEqual(ready)
    using _other = registry.hold('b')
    expect(registry.health()).toEqual(full)
    expect(await failureOf(() => registry.open('c'))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
    hold?.release()
    expect(registry.health()).toEqual(ready)

    expect(await registry.open('c')).toEqual([])
  })

  it('with `reject`: at the cap, until a session has expired, swept or not', async () => {
    const { registry, clock } = clockedRegistry({
      maxSessions: 2,
      whenFull: 'reject',
      timeoutMs: 1_000,
      intervalMs: 1_000_000,
    })
    registry.set('a', [])
    expect(registry.health()).toEqual(ready)
    clock.advance(500)
    registry.set('b', [])
    expect(registry.health()).toEqual(full)
    clock.advance(499)
    expect(registry.health()).toEqual(full)
    clock.advance(1)
    expect(registry.health()).toEqual(ready)
    expect(await registry.open('c')).toEqual([])

    expect(registry.health()).toEqual(full)
  })

  it('with `reject`, sessions that were touched since: the oldest to expire counts', () => {
    const options = { maxSessions: 3, whenFull: 'reject', timeoutMs: 1_000, intervalMs: 1_000_000 } as const
    const { registry, clock } = clockedRegistry(options)
    for (const id of ['a', 'b', 'c']) registry.set(id, [])
    clock.advance(900)
    registry.touch('a')
    registry.touch('b')
    clock.advance(100)
    expect(registry.health()).toEqual(ready)
    registry.sweep()
    registry.set('d', [])

    expect(registry.health()).toEqual(full)
  })

  it('what leaves memory, or is being made: `open` waits for the room, so it is not full', async () => {
    const { create, at } = bound(new ManualCreate())
    const { registry, disposer } = disposingRegistry({ create, maxSessions: 1, timeoutMs: 1_000_000 })
    const opened = registry.open('a')
    expect(registry.health()).toEqual(ready)
    at(0).resolve(['made'])
    await opened
    expect(registry.health()).toEqual(ready)
    registry.delete('a')
    expect(registry.stats().disposing).toBe(1)
    expect(registry.health()).toEqual(ready)
    expect(thrownBy(() => registry.set('b', []))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
    disposer.at(0).resolve()
  })

  it('is no activity, and ends nothing', () => {
    const options = { maxSessions: 1, timeoutMs: 1_000, intervalMs: 1_000_000 }
    const { registry, clock, events } = clockedRegistry(options)
    registry.set('a', [])
    events.take()
    clock.advance(999)
    registry.health()
    clock.advance(1)
    registry.health()

    expect(registry.has('a')).toBe(false)
    expect(registry.size).toBe(1)
    expect(events.take()).toEqual([])
  })

  it('a clock that fails: does not throw', () => {
    const { registry, clock } = clockedRegistry({ maxSessions: 1 })
    registry.set('a', [])
    clock.now = () => {
      throw new Error('no time')
    }

    expect(registry.health()).toEqual(ready)
  })
})

describe('health(): store-failing', () => {
  it('a read that fails: until one succeeds', async () => {
    const { registry, store } = storedRegistry()
    await registry.open('a')
    expect(registry.health()).toEqual(ready)
    store.failNext('get')
    await failureOf(() => registry.open('b'))
    expect(registry.health()).toEqual(failing)
    await registry.open('b')

    expect(registry.health()).toEqual(ready)
  })

  it('a write that fails: also before its last try', async () => {
    const { registry, store, clock } = storedRegistry()
    store.failNext('put')
    const said = observe(say(registry, 'a', 'hello'))
    await clock.advanceAsync(0)
    expect(said.state).toBe('pending')
    expect(registry.health()).toEqual(failing)
    await clock.advanceAsync(250)

    expect(said.state).toBe('fulfilled')
    expect(registry.health()).toEqual(ready)
  })

  it('a deletion that fails: until a try succeeds', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'a', 'hello')
    store.failNext('delete')
    registry.delete('a')
    await clock.advanceAsync(0)
    expect(registry.health()).toEqual(failing)
    await clock.advanceAsync(1_000)

    expect(registry.health()).toEqual(ready)
  })

  it('a read that hangs: from `loadTimeoutMs` on', async () => {
    const { registry, store, clock } = storedRegistry({ loadTimeoutMs: 5_000 })
    const gated = store.gateNext('get')
    const opened = observe(registry.open('a'))
    await clock.advanceAsync(4_999)
    expect(registry.health()).toEqual(ready)
    await clock.advanceAsync(1)
    expect(opened.error).toEqual(sessionError('ERR_SESSION_LOAD_TIMEOUT'))
    expect(registry.health()).toEqual(failing)
    gated.end.resolve()
    await settle()

    expect(registry.health()).toEqual(ready)
  })

  it('a conflict, and a session that is not there: the store has answered', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'hello')
    store.writeElsewhere({ value: ['elsewhere'] })
    store.failNext('get')
    await failureOf(() => registry.open('b'))
    expect(registry.health()).toEqual(failing)

    expect(await failureOf(() => say(registry, 'ada', 'again'))).toEqual(
      sessionError('ERR_SESSION_STORE_CONFLICT'),
    )
    expect(registry.health()).toEqual(ready)
  })

  it('a store that breaks its rules: fails', async () => {
    const { registry, store } = storedRegistry()
    store.returnNext('get', null)
    await failureOf(() => registry.open('a'))

    expect(registry.health()).toEqual(failing)
  })

  it('a call that no one waits for any more: says nothing', async () => {
    const { registry, store } = storedRegistry()
    const gated = store.gateNext('get')
    const controller = new AbortController()
    const opened = observe(registry.open('a', { signal: controller.signal }))
    await gated.begun
    controller.abort()
    gated.end.reject(new Error('aborted'))
    await opened.settled
    await settle()

    expect(registry.health()).toEqual(ready)
  })

  it.each([
    ['load', (archive: FakeArchive) => ({ load: () => Promise.reject(archive.failure) })],
    ['archive', (archive: FakeArchive) => ({ archive: archive.archive })],
  ])('`%s` that fails: as a store, for 30 seconds', async (hook, optionsOf) => {
    const archive = new FakeArchive('failing')
    const options: SessionRegistryOptions<string[]> = {
      timeoutMs: 1_000,
      intervalMs: 1_000_000,
      archiveAttempts: 1,
      ...optionsOf(archive),
    }
    const { registry, clock } = clockedRegistry(options)
    registry.on('error', () => {})
    if (hook === 'load') {
      expect(await failureOf(() => registry.open('a'))).toBe(archive.failure)
    } else {
      registry.replace('a', [])
      clock.advance(1_000)
      registry.sweep()
      await settle()
    }
    expect(registry.health()).toEqual(failing)
    clock.advance(29_999)
    expect(registry.health()).toEqual(failing)
    clock.advance(1)

    expect(registry.health()).toEqual(ready)
  })

  it('`create` and `dispose` that fail: are not the store', async () => {
    const create = () => Promise.reject(new Error('no browser'))
    const { registry } = disposingRegistry({ create, mode: 'throwing' })
    registry.replace('a', [])
    registry.delete('a')
    await failureOf(() => registry.open('b'))

    expect(registry.health()).toEqual(ready)
  })
})

/** A hook with its calls, without `this`. */
function bound<H extends { at(index: number): unknown }>(hook: H): H {
  return { ...hook, at: (index: number) => hook.at(index) } as H
}
