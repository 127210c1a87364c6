import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const minute = 60_000

it('the idle time: starts anew with a load, in the same process and after a restart', async () => {
  const { registry, store, clock } = storedRegistry({ timeoutMs: 10 * minute })
  await say(registry, 'ada', 'one')
  await clock.advanceAsync(15 * minute)
  expect(registry.size).toBe(0)
  await registry.open('ada')
  expect(registry.peek('ada')).toMatchObject({ idleMs: 0, lastActiveAt: clock.date() })
  await registry.close()
  await clock.advanceAsync(9 * minute)
  const next = registryOn(store, clock, { timeoutMs: 10 * minute })
  await next.registry.open('ada')

  expect(next.registry.peek('ada')).toMatchObject({ idleMs: 0, lastActiveAt: clock.date() })
})

describe('the time of creation', () => {
  it('survives a restart, and with it the absolute timeout', async () => {
    const options = { maxAgeMs: 10 * minute }
    const { registry, store, clock } = storedRegistry(options)
    await say(registry, 'ada', 'one')
    const createdAt = registry.peek('ada')?.createdAt
    await registry.close()
    await clock.advanceAsync(6 * minute)
    const next = registryOn(store, clock, options)
    await say(next.registry, 'ada', 'two')

    expect(next.registry.peek('ada')).toMatchObject({ createdAt, ageMs: 6 * minute })
    expect(store.session('ada')?.createdAt).toBe(createdAt)
    await clock.advanceAsync(4 * minute - 1)
    expect(next.registry.has('ada')).toBe(true)
    await clock.advanceAsync(1)
    expect(next.registry.has('ada')).toBe(false)
    next.registry.sweep()
    expect(next.events.lines).toEqual(['created ada'])
    await settle()
    expect(next.events.lines).toEqual(['created ada', 'expired ada age', 'ended ada age'])
  })

  it('a stored session past its age is deleted and reads as absent, exactly from then on', async () => {
    const options = { maxAgeMs: 10 * minute }
    const { registry, store, clock } = storedRegistry(options)
    await say(registry, 'ada', 'one')
    await say(registry, 'bob', 'one')
    await registry.close()
    store.take()
    await clock.advanceAsync(10 * minute - 1)
    const next = registryOn(store, clock, options)
    expect(await next.registry.open('ada', { create: false })).toEqual(['one'])
    await clock.advanceAsync(1)
    expect(await next.registry.open('bob', { create: false })).toBe(undefined)

    expect(store.session('bob')).toBe(undefined)
    expect(store.take()).toEqual(['get ada', 'get bob', 'delete bob'])
    expect(await next.registry.open('bob')).toEqual([])
  })

  it('a deletion of a session past its age that fails rejects: it is not absent yet', async () => {
    const options = { maxAgeMs: 10 * minute }
    const { registry, store, clock } = storedRegistry(options)
    await say(registry, 'ada', 'one')
    await registry.close()
    await clock.advanceAsync(10 * minute)
    const next = registryOn(store, clock, options)
    store.failNext('delete')

    await expect(next.registry.open('ada')).rejects.toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(await next.registry.open('ada')).toEqual([])
  })

  it('an end by age deletes instead of writing', async () => {
    const { registry, store, clock, events } = storedRegistry({ maxAgeMs: minute })
    await say(registry, 'ada', 'one')
    registry.get('ada')?.push('unsaved')
    store.take()
    clock.advance(minute)
    registry.sweep()
    await settle()

    expect(store.take()).toEqual(['delete ada'])
    expect(store.size).toBe(0)
    expect(events.take()).toEqual(['created ada', 'expired ada age', 'ended ada age'])
  })

  it('an end by age that was never written deletes nothing that it has not seen', async () => {
    const { registry, store, clock } = storedRegistry({ maxAgeMs: minute, save: 'end' })
    await registry.open('ada')
    store.writeElsewhere({ value: ['elsewhere'], createdAt: clock.date(), lastActiveAt: clock.date() })
    clock.advance(minute)
    registry.sweep()
    await settle()

    expect(store.value('ada')).toEqual(['elsewhere'])
  })

  it('an end by age leaves what was written elsewhere since', async () => {
    const { registry, store, clock } = storedRegistry({ maxAgeMs: minute })
    await say(registry, 'ada', 'one')
    store.writeElsewhere({ value: ['elsewhere'], createdAt: clock.date(), lastActiveAt: clock.date() })
    clock.advance(minute)
    registry.sweep()
    await settle()

    expect(store.value('ada')).toEqual(['elsewhere'])
  })

  it('an end by age after an unknown outcome deletes what it wrote itself', async () => {
    const { registry, store, clock } = storedRegistry({ maxAgeMs: minute })
    await say(registry, 'ada', 'one')
    store.failAfterEffect('put', 3)
    const run = say(registry, 'ada', 'two').catch((error: unknown) => error)
    await clock.advanceAsync(minute)
    expect(await run).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    registry.sweep()
    await settle()

    expect(store.size).toBe(0)
  })

  it('a wall clock that was set back makes no session younger than new', async () => {
    const { store, clock } = storedRegistry()
    store.writeElsewhere({
      value: ['one'],
      createdAt: clock.date() + 5 * minute,
      lastActiveAt: clock.date() + 5 * minute,
    })
    const { registry } = registryOn(store, clock, { maxAgeMs: minute })
    await registry.open('ada')

    expect(registry.peek('ada')?.ageMs).toBe(0)
    await clock.advanceAsync(minute)
    expect(registry.has('ada')).toBe(false)
  })

  it('of a session that was deleted starts anew', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    await clock.advanceAsync(minute)
    await registry.forget('ada')
    await say(registry, 'ada', 'two')

    expect(store.session('ada')?.createdAt).toBe(clock.date())
  })
})

describe('the time of the last activity', () => {
  it('is stored with each write', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    expect(store.session('ada')?.lastActiveAt).toBe(clock.date())
    await clock.advanceAsync(5_000)
    await say(registry, 'ada', 'two')

    expect(store.session('ada')?.lastActiveAt).toBe(clock.date())
    expect(store.session('ada')?.createdAt).toBe(clock.date() - 5_000)
  })

  it('at the end is that of the last use, not that of the end', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: minute })
    registry.set('ada', ['one'])
    const lastActiveAt = clock.date()
    clock.advance(3 * minute)
    registry.sweep()
    await settle()

    expect(store.session('ada')?.lastActiveAt).toBe(lastActiveAt)
  })
})

describe('the own `timeoutMs` of a session', () => {
  it.each([5_000, Number.POSITIVE_INFINITY])('%d: survives', async (timeoutMs) => {
    const { registry, store, clock } = storedRegistry()
    registry.set('ada', ['one'], { timeoutMs })
    await registry.save('ada')
    await registry.close()
    const next = registryOn(store, clock, { timeoutMs: 1_000 })
    await next.registry.open('ada')

    expect(next.registry.peek('ada')?.timeoutMs).toBe(timeoutMs)
    await clock.advanceAsync(4_999)
    expect(next.registry.has('ada')).toBe(true)
    await clock.advanceAsync(1)
    expect(next.registry.has('ada')).toBe(timeoutMs !== 5_000)
  })

  it('is not stored where the session has none: the next start may have another default', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: 5_000 })
    await say(registry, 'ada', 'one')
    expect(store.session('ada')).not.toHaveProperty('timeoutMs')
    await registry.close()
    const next = registryOn(store, clock, { timeoutMs: 9_000 })
    await next.registry.open('ada')

    expect(next.registry.peek('ada')?.timeoutMs).toBe(9_000)
  })

  it('that was taken back is gone from the store', async () => {
    const { registry, store } = storedRegistry()
    registry.set('ada', ['one'], { timeoutMs: 5_000 })
    await registry.save('ada')
    expect(store.session('ada')?.timeoutMs).toBe(5_000)
    await registry.run('ada', (session) => {
      session.timeoutMs = undefined
    })

    expect(store.session('ada')).not.toHaveProperty('timeoutMs')
  })

  it('alone changed: is written at the end', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    const session = registry.peek('ada')
    if (session !== undefined) session.timeoutMs = 7_000
    await registry.close()

    expect(store.session('ada')?.timeoutMs).toBe(7_000)
  })
})

describe('the owner of a session', () => {
  it('survives a read and a write', async () => {
    const { registry, store } = storedRegistry()
    store.writeElsewhere({
      value: ['one'],
      owner: 'user-1',
      createdAt: Date.now(),
      lastActiveAt: Date.now(),
    })
    await say(registry, 'ada', 'two')

    expect(store.session('ada')).toMatchObject({ owner: 'user-1', text: '["one","two"]' })
  })
})

describe('a codec of the user’s own', () => {
  it('encodes what is written and decodes what is read', async () => {
    const { store, clock } = storedRegistry()
    const codec = {
      encode: (value: Map<string, number>) => JSON.stringify([...value]),
      decode: (text: string) => new Map(JSON.parse(text) as [string, number][]),
    }
    const options = { clock, store, codec, create: () => new Map<string, number>() }
    const one = new SessionRegistry(options)
    await one.run('ada', ({ value }) => value.set('a', 1))
    const next = new SessionRegistry(options)

    expect(store.session('ada')?.text).toBe('[["a",1]]')
    expect(await next.open('ada')).toEqual(new Map([['a', 1]]))
  })
})
