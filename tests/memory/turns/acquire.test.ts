import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

const timeout = sessionError('ERR_SESSION_TURN_TIMEOUT')
const never = Number.POSITIVE_INFINITY

/** Returns a registry with the `error` events that it emits. */
function reporting(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const made = clockedRegistry({ timeoutMs: 1_000, ...options })
  const errors: unknown[] = []
  made.registry.on('error', (error) => errors.push(error))
  return { ...made, errors }
}

describe('`maxMs` of a hold', () => {
  it('ends it exactly then, with an error, at any `maxHoldMs`', () => {
    const { registry, clock, errors } = reporting({ maxHoldMs: 50 })
    registry.getOrCreate('a')
    registry.hold('a', { maxMs: 5_000 })
    clock.advance(4_999)
    expect(registry.peek('a')?.held).toBe(true)
    clock.advance(1)

    expect(registry.peek('a')?.held).toBe(false)
    expect(errors).toEqual([timeout])
  })

  it('defaults to `maxHoldMs`, which is 24 hours at any `timeoutMs` and `maxTurnMs`', () => {
    const { registry, clock, errors } = reporting({ maxTurnMs: 1_000 })
    registry.getOrCreate('a')
    registry.hold('a')
    clock.advance(24 * 3_600_000 - 1)
    expect(registry.peek('a')?.held).toBe(true)
    clock.advance(1)

    expect(errors).toEqual([timeout])
  })

  it('infinity starts no timer', () => {
    const { registry, clock } = reporting({ timeoutMs: never })
    registry.getOrCreate('a')
    registry.hold('a', { maxMs: never })

    expect(clock.pending).toBe(0)
  })

  it.each([0, -1, Number.NaN, '5', null])('of %s is refused, and nothing is held', (maxMs) => {
    const { registry } = reporting()
    registry.getOrCreate('a')

    expect(thrownBy(() => registry.hold('a', { maxMs } as object))).toEqual(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
    expect(registry.stats().held).toBe(0)
  })
})

describe('`renew`', () => {
  it('restarts the full time of the hold', () => {
    const { registry, clock, errors } = reporting({ maxHoldMs: 5_000 })
    registry.getOrCreate('a')
    const hold = registry.hold('a')
    for (let round = 0; round < 10; round += 1) {
      clock.advance(4_999)
      expect(hold?.renew()).toBe(true)
    }
    clock.advance(4_999)
    expect([registry.peek('a')?.held, errors]).toEqual([true, []])
    clock.advance(1)

    expect(errors).toEqual([timeout])
  })

  it('reports that the hold no longer holds: released, expired, deleted, closed', async () => {
    const { registry, clock } = reporting({ maxHoldMs: 5_000 })
    const holdOf = (id: string) => {
      registry.getOrCreate(id)
      return registry.hold(id)
    }
    const [released, late, deleted, closed] = ['a', 'b', 'c', 'd'].map(holdOf)
    released?.release()
    registry.delete('c')
    expect([released?.renew(), late?.renew(), deleted?.renew()]).toEqual([false, true, false])
    clock.advance(4_999)
    closed?.renew()
    clock.advance(1)
    expect([late?.renew(), closed?.renew()]).toEqual([false, true])
    const report = registry.close({ deadlineMs: 0 })
    await clock.advanceAsync(0)
    await report

    expect(closed?.renew()).toBe(false)
    expect(clock.pending).toBe(0)
  })

  it('is not activity, and keeps no process alive', () => {
    const clock = new TrackingClock()
    const { registry } = reporting({ clock })
    registry.getOrCreate('a')
    const hold = registry.hold('a')
    hold?.renew()

    expect(clock.refed).toBe(0)
    expect(clock.waiting.size).toBe(2)
    hold?.release()
    expect(clock.waiting.size).toBe(1)
  })
})

describe('a hold', () => {
  it('has its session, which stays readable', () => {
    const { registry } = reporting()
    registry.set('a', ['hello'])
    const hold = registry.hold('a')
    expect(hold?.session).toBe(registry.peek('a'))
    registry.delete('a')

    expect(hold?.session.value).toEqual(['hello'])
  })

  it('prints neither id nor value', () => {
    const { registry } = reporting()
    registry.set('a-secret-id', ['a secret'])
    const hold = registry.hold('a-secret-id')
    const shown = () =>
      [inspect(hold, { depth: 9, showHidden: true }), JSON.stringify(hold), `${hold}`].join()
    expect(shown()).not.toContain('secret')
    expect(inspect(hold)).toBe('Hold { held: true }')
    hold?.release()

    expect(inspect(hold)).toBe('Hold { held: false }')
    expect(shown()).not.toContain('secret')
  })
})

describe('`acquire`', () => {
  it('opens and holds in one step: nothing can end the session in between', async () => {
    const { registry, clock } = reporting({ load: async () => ['loaded'], maxSessions: 1 })
    const hold = await registry.acquire('a')
    clock.advance(60_000)
    registry.sweep()

    expect(hold.session.value).toEqual(['loaded'])
    expect(registry.peek('a')?.held).toBe(true)
    hold.release()
    expect(registry.stats().held).toBe(0)
  })

  it('holds a live session before it returns, and creates one if there is none', async () => {
    const { registry } = reporting()
    registry.set('a', ['there'])
    const acquired = registry.acquire('a')
    expect(registry.peek('a')?.held).toBe(true)
    expect((await acquired).session.value).toEqual(['there'])

    expect((await registry.acquire('b')).session.value).toEqual([])
    expect((await registry.acquire('c', { create: () => ['own'] })).session.value).toEqual(['own'])
    expect(registry.stats()).toMatchObject({ held: 3, hits: 1, misses: 2 })
  })

  it('with `create: false`: returns `undefined` if there is no session', async () => {
    const { registry } = reporting()

    expect(await registry.acquire('a', { create: false })).toBeUndefined()
    expect(registry.size).toBe(0)
    registry.set('a', [])
    expect(await registry.acquire('a', { create: false })).toBeDefined()
  })

  it('`maxMs` counts from the moment of the hold', async () => {
    const loaded = deferred<string[]>()
    const { registry, clock, errors } = reporting({ load: () => loaded.promise })
    const acquired = registry.acquire('a', { maxMs: 500 })
    await clock.advanceAsync(5_000)
    loaded.resolve([])
    await acquired
    clock.advance(499)
    expect(registry.peek('a')?.held).toBe(true)
    clock.advance(1)

    expect(registry.peek('a')?.held).toBe(false)
    expect(errors).toEqual([timeout])
  })

  it('its signal ends the wait, and then nothing is held', async () => {
    const loaded = deferred<string[]>()
    const { registry } = reporting({ load: () => loaded.promise })
    const controller = new AbortController()
    const left = observe(registry.acquire('a', { signal: controller.signal }))
    const stayed = observe(registry.open('a'))
    controller.abort('gone')
    await left.settled
    loaded.resolve([])
    await stayed.settled

    expect(left.error).toBe('gone')
    expect(registry.stats().held).toBe(0)
  })

  it('does not wait for a running turn, and holds beside it', async () => {
    const { registry } = reporting()
    const gate = deferred()
    const running = registry.run('a', () => gate.promise)
    const hold = await registry.acquire('a')
    gate.resolve()
    await running
    expect(registry.peek('a')?.held).toBe(true)
    hold.release()

    expect(registry.peek('a')?.held).toBe(false)
  })

  it('inside a turn: holds its session beyond the turn', async () => {
    const { registry } = reporting()
    const hold = await registry.run('a', () => registry.acquire('a'))
    expect(registry.peek('a')?.held).toBe(true)
    hold.release()

    expect(registry.stats().held).toBe(0)
  })

  it('is refused if the registry is closed or closing, inside a turn too', async () => {
    const { registry } = reporting()
    const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')
    await registry.run('a', async () => {
      registry.close()
      expect(await failureOf(() => registry.acquire('a'))).toEqual(closed)
      await settle()
    })

    expect(await failureOf(() => registry.acquire('a'))).toEqual(closed)
  })

  it.each([
    ['create', { create: 5 }],
    ['signal', { signal: {} }],
    ['maxMs', { maxMs: 0 }],
    ['known options', { timeoutMs: 5 }],
  ])('rejects invalid options, and names `%s`', async (name, options) => {
    const { registry } = reporting()
    const error = await failureOf(() => registry.acquire('a', options as object))

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect((error as Error).message).toContain(name)
    expect(registry.size).toBe(0)
  })

  it('rejects an invalid id', async () => {
    const { registry } = reporting()

    expect(await failureOf(() => registry.acquire(''))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
  })
})

it('acquire: all waiting calls have their hold before a listener of `created` can end the session', async () => {
  const store = new ManualLoad()
  const { registry, events } = clockedRegistry({ load: store.load })
  registry.once('created', ({ id }) => registry.delete(id))
  const waits = [observe(registry.acquire('a')), observe(registry.acquire('a')), observe(registry.open('a'))]
  store.at(0).resolve(['loaded'])
  await Promise.all(waits.map(({ settled }) => settled))
  await settle()

  expect(waits.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
  expect(registry.stats()).toMatchObject({ size: 0, held: 0, created: 1 })
  expect(events.take()).toEqual(['created a', 'ended a deleted'])
})
