import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const minute = 60_000

/** A session whose end the store has failed to write, which was handed back. */
async function handedBack(options: Parameters<typeof storedRegistry>[0] = {}) {
  const all = storedRegistry({ timeoutMs: minute, archiveAttempts: 2, ...options })
  const { registry, store, clock } = all
  await say(registry, 'ada', 'one')
  const createdAt = store.session('ada')?.createdAt ?? 0
  await clock.advanceAsync(10_000)
  registry.get('ada')?.push('two')
  const lastActiveAt = clock.date()
  store.failNext('put', 2)
  clock.advance(minute)
  registry.sweep()
  await clock.advanceAsync(1_000)
  return { ...all, createdAt, lastActiveAt }
}

describe('a session that could not be written at its end', () => {
  it('is tried `archiveAttempts` times with growing pauses, then handed back with an `error`', async () => {
    const { registry, errors, events, store } = await handedBack()

    expect(errors).toEqual([sessionError('ERR_SESSION_ARCHIVE_FAILED')])
    expect(errors[0]).toMatchObject({ cause: store.failure, session: { id: 'ada' } })
    expect(store.take()).toEqual(['get ada', 'put ada', 'put ada', 'put ada'])
    expect(events.take()).toEqual(['created ada'])
    expect(registry.get('ada')).toEqual(['one', 'two'])
    expect(registry.stats().archiveFailures).toBe(2)
  })

  it('is written when it is next over', async () => {
    const { registry, clock, events, store } = await handedBack()
    clock.advance(minute)
    registry.sweep()
    await settle()

    expect(events.take()).toEqual(['created ada', 'expired ada idle', 'ended ada idle'])
    expect(store.value('ada')).toEqual(['one', 'two'])
  })

  it('keeps the time of its creation, in the store and for its absolute timeout', async () => {
    const { registry, clock, store, createdAt } = await handedBack({ maxAgeMs: 10 * minute })
    expect(registry.peek('ada')?.createdAt).toBe(createdAt)
    await say(registry, 'ada', 'three')
    expect(store.session('ada')?.createdAt).toBe(createdAt)
    await registry.close()
    await clock.advanceAsync(createdAt + 10 * minute - 1 - clock.date())
    const next = registryOn(store, clock, { maxAgeMs: 10 * minute })

    expect(await next.registry.open('ada', { create: false })).toEqual(['one', 'two', 'three'])
    await clock.advanceAsync(1)
    expect(next.registry.has('ada')).toBe(false)
  })

  it('is stored as active when it was last active, not as old as its creation', async () => {
    const { registry, clock, store } = await handedBack({ keepMs: 10 * minute })
    await clock.advanceAsync(20_000)
    await say(registry, 'ada', 'three')

    expect(registry.peek('ada')?.lastActiveAt).toBe(clock.date())
    expect(store.session('ada')?.lastActiveAt).toBe(clock.date())
  })

  it('moves memory’s deadline only: the hand-back itself is no activity', async () => {
    const { registry, store, lastActiveAt } = await handedBack()
    await registry.close()

    expect(store.value('ada')).toEqual(['one', 'two'])
    expect(store.session('ada')?.lastActiveAt).toBe(lastActiveAt)
  })

  it('serves those who wait for it', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: minute, archiveAttempts: 2 })
    registry.set('ada', ['one'])
    store.failNext('put', 2)
    clock.advance(minute)
    registry.sweep()
    await settle()
    const opened = observe(registry.open('ada'))
    const created = observe(registry.run('ada', ({ value }) => value.length))
    await clock.advanceAsync(1_000)

    expect(opened.value).toEqual(['one'])
    expect(created.value).toBe(1)
    expect(store.take()).not.toContain('get ada')
  })
})
