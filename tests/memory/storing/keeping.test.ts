import { describe, expect, it } from 'vitest'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const hour = 3_600_000
const day = 24 * hour

/** Without pruning: the first background sweep is far away. */
const unswept = { keepMs: 4 * hour, timeoutMs: 2 * hour, intervalMs: 10 * day }

describe('`keepMs`', () => {
  it('a stored session is there one millisecond before, and absent exactly at it', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    await say(registry, 'bob', 'one')
    await registry.close()
    await clock.advanceAsync(day - 1)
    const next = registryOn(store, clock, { keepMs: day })
    expect(await next.registry.open('ada', { create: false })).toEqual(['one'])
    await clock.advanceAsync(1)

    expect(await next.registry.open('bob', { create: false })).toBe(undefined)
    // It is only read as absent; pruning deletes it.
    expect(store.value('bob')).toEqual(['one'])
  })

  it('a new session takes the place of one that reads as absent, pruned meanwhile or not', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    await say(registry, 'bob', 'one')
    await registry.close()
    await clock.advanceAsync(day)
    const next = registryOn(store, clock, { keepMs: day })
    await next.registry.open('ada')
    await next.registry.open('bob')
    store.deleteElsewhere('bob')
    await say(next.registry, 'ada', 'new')
    await say(next.registry, 'bob', 'new')

    expect(store.value('ada')).toEqual(['new'])
    expect(store.value('bob')).toEqual(['new'])
    expect(store.session('ada')?.createdAt).toBe(clock.date())
  })

  it('a new session does not take the place of one that was written elsewhere meanwhile', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    await registry.close()
    await clock.advanceAsync(day)
    const next = registryOn(store, clock, { keepMs: day })
    await next.registry.open('ada')
    store.writeElsewhere({ value: ['elsewhere'], lastActiveAt: clock.date() })

    await expect(say(next.registry, 'ada', 'new')).rejects.toEqual(sessionError('ERR_SESSION_STORE_CONFLICT'))
  })

  it('an unchanged session is written again where the stored activity falls behind by a quarter', async () => {
    const { registry, store, clock } = storedRegistry(unswept)
    await say(registry, 'ada', 'one')
    store.take()
    await clock.advanceAsync(hour - 1)
    await registry.run('ada', () => {})
    expect(store.take()).toEqual([])
    await clock.advanceAsync(1)
    await registry.run('ada', () => {})

    expect(store.take()).toEqual(['put ada'])
    expect(store.session('ada')?.lastActiveAt).toBe(clock.date())
    await registry.run('ada', () => {})
    expect(store.take()).toEqual([])
  })

  it('an unchanged session is written again at its end, as active as it was', async () => {
    const { registry, store, clock } = storedRegistry(unswept)
    await say(registry, 'ada', 'one')
    await clock.advanceAsync(1.5 * hour)
    registry.touch('ada')
    const lastActiveAt = clock.date()
    store.take()
    clock.advance(2 * hour)
    registry.sweep()
    await settle()

    expect(store.take()).toEqual(['put ada'])
    expect(store.session('ada')?.lastActiveAt).toBe(lastActiveAt)
  })

  it('without `keepMs` an unchanged session is never written again', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: Number.POSITIVE_INFINITY })
    await say(registry, 'ada', 'one')
    store.take()
    await clock.advanceAsync(1_000 * day)
    await registry.run('ada', () => {})
    await registry.close()

    expect(store.take()).toEqual(['close'])
  })

  it('one in memory that was pruned all the same, by another process, is written anew', async () => {
    const { registry, store, clock, errors } = storedRegistry(unswept)
    await say(registry, 'ada', 'one')
    const createdAt = clock.date()
    for (let hours = 0; hours < 4; hours += 1) {
      await clock.advanceAsync(hour)
      registry.touch('ada')
    }
    store.deleteElsewhere('ada')
    await say(registry, 'ada', 'two')

    expect(store.value('ada')).toEqual(['one', 'two'])
    expect(store.session('ada')?.createdAt).toBe(createdAt)
    expect(errors).toEqual([])
  })

  it('one in memory that was deleted before it could be pruned is a conflict', async () => {
    const { registry, store, clock } = storedRegistry({ keepMs: 4 * hour, timeoutMs: 2 * hour })
    await say(registry, 'ada', 'one')
    await clock.advanceAsync(2 * hour - 1)
    registry.touch('ada')
    await clock.advanceAsync(2 * hour - 1)
    registry.touch('ada')
    await clock.advanceAsync(1)
    store.deleteElsewhere('ada')
    // One millisecond before `keepMs` since the last write.
    await expect(say(registry, 'ada', 'two')).rejects.toEqual(sessionError('ERR_SESSION_STORE_CONFLICT'))

    expect(store.size).toBe(0)
  })
})

describe('pruning', () => {
  const options = { keepMs: 2 * day, timeoutMs: day, intervalMs: 60_000 }

  it('deletes what was last active before `keepMs`, after a background sweep', async () => {
    const { registry, store, clock } = storedRegistry(options)
    const old = clock.date() - 2 * day
    store.writeElsewhere({ id: 'old', value: [], lastActiveAt: old - 1 })
    store.writeElsewhere({ id: 'kept', value: [], lastActiveAt: old + 60_000 })
    registry.set('ada', [])
    registry.sweep()
    await settle()
    expect(store.take()).toEqual([])
    await clock.advanceAsync(60_000)

    expect(store.take()).toEqual(['prune'])
    expect(store.prunes).toEqual([{ before: clock.date() - 2 * day, limit: 500 }])
    expect(store.session('old')).toBe(undefined)
    expect(store.session('kept')).toBeDefined()
  })

  it('at most once an hour', async () => {
    const { registry, store, clock } = storedRegistry(options)
    registry.set('ada', [])
    await clock.advanceAsync(60_000)
    expect(store.prunes).toHaveLength(1)
    await clock.advanceAsync(hour - 1)
    expect(store.prunes).toHaveLength(1)
    await clock.advanceAsync(60_000)
    expect(store.prunes).toHaveLength(2)
    await clock.advanceAsync(5 * hour)

    expect(store.prunes).toHaveLength(7)
  })

  it('in batches, one after another, until nothing is left', async () => {
    const { registry, store, clock } = storedRegistry(options)
    for (let count = 0; count < 1_200; count += 1) {
      store.writeElsewhere({ id: `old-${count}`, value: [], lastActiveAt: 0 })
    }
    registry.set('ada', [])
    await clock.advanceAsync(60_000)

    expect(store.prunes.map(({ limit }) => limit)).toEqual([500, 500, 500])
    expect(store.size).toBe(0)
  })

  it('never without `keepMs`, and never a store that cannot', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: day })
    registry.set('ada', [])
    await clock.advanceAsync(3 * hour)
    expect(store.prunes).toEqual([])
    const unable = storedRegistry(options)
    Object.assign(unable.store, { prune: undefined })
    unable.registry.set('ada', [])
    await unable.clock.advanceAsync(3 * hour)

    expect(unable.errors).toEqual([])
    expect(unable.registry.stats().lastSweep).toBeDefined()
  })

  it.each(['before', 'after'] as const)(
    'fails %s its effect: an `error`, and the next one in an hour',
    async (when) => {
      const { registry, store, clock, errors } = storedRegistry(options)
      if (when === 'before') store.failNext('prune')
      else store.failAfterEffect('prune')
      registry.set('ada', [])
      await clock.advanceAsync(60_000)

      expect(errors).toEqual([sessionError('ERR_SESSION_STORE_FAILED')])
      expect(errors[0]).toMatchObject({ cause: store.failure })
      await clock.advanceAsync(hour)
      expect(store.prunes).toHaveLength(2)
      expect(errors).toHaveLength(1)
    },
  )

  it.each([undefined, 7, 'old', [7], null])('%j as its result: an `error`', async (result) => {
    const { registry, store, clock, errors } = storedRegistry(options)
    store.returnNext('prune', result)
    registry.set('ada', [])
    await clock.advanceAsync(60_000)

    expect(errors).toEqual([sessionError('ERR_SESSION_STORE_FAILED')])
    expect((errors[0] as Error).cause).toMatchObject({
      message: expect.stringMatching(/`prune`.*array of ids/),
    })
  })

  it('hangs: an `error` after `archiveTimeoutMs`', async () => {
    const { registry, store, clock, errors } = storedRegistry({ ...options, archiveTimeoutMs: 5_000 })
    const hung = store.gateNext('prune')
    registry.set('ada', [])
    await clock.advanceAsync(64_999)
    expect(errors).toEqual([])
    await clock.advanceAsync(1)

    expect(errors).toEqual([sessionError('ERR_SESSION_STORE_FAILED')])
    hung.end.resolve()
  })

  it('is waited for by `settled`, and stops with `close`', async () => {
    const { registry, store, clock, errors } = storedRegistry(options)
    const hung = store.gateNext('prune')
    registry.set('ada', [])
    await clock.advanceAsync(60_000)
    let isSettled = false
    const settled = registry.settled().then(() => {
      isSettled = true
    })
    await settle()
    expect(isSettled).toBe(false)
    await registry.close()
    await settled

    expect(isSettled).toBe(true)
    expect(errors).toEqual([])
    hung.end.resolve()
  })
})
