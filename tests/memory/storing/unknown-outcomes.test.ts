import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const conflict = sessionError('ERR_SESSION_STORE_CONFLICT')

describe('a put that has its effect and then fails', () => {
  it('is repeated under its revision, which the store takes', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.failAfterEffect('put', 2)
    const run = observe(say(registry, 'ada', 'two'))
    await clock.advanceAsync(1_500)

    expect(run.state).toBe('fulfilled')
    expect(store.value('ada')).toEqual(['one', 'two'])
    expect(store.take()).toEqual(['get ada', 'put ada', 'put ada', 'put ada', 'put ada'])
  })

  it('three times: the next turn finds its own revision there, and goes on from it', async () => {
    const { registry, store, clock, events } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.failAfterEffect('put', 3)
    const run = observe(say(registry, 'ada', 'two'))
    await clock.advanceAsync(1_500)
    expect(run.error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    store.take()
    await say(registry, 'ada', 'three')

    expect(store.value('ada')).toEqual(['one', 'two', 'three'])
    // `false` was followed by a `get`.
    expect(store.take()).toEqual(['put ada', 'get ada', 'put ada'])
    expect(events.take()).toEqual(['created ada'])
  })

  it('over several turns: every revision that was tried is its own', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.failAfterEffect('put', 3)
    const two = observe(say(registry, 'ada', 'two'))
    await clock.advanceAsync(1_500)
    store.failNext('put', 3)
    const three = observe(say(registry, 'ada', 'three'))
    await clock.advanceAsync(1_500)
    expect([two.state, three.state]).toEqual(['rejected', 'rejected'])
    await say(registry, 'ada', 'four')

    expect(store.value('ada')).toEqual(['one', 'two', 'three', 'four'])
    store.writeElsewhere({ value: ['elsewhere'] })
    await expect(say(registry, 'ada', 'five')).rejects.toEqual(conflict)
  })

  it('a new session: its own revision is recognised', async () => {
    const { registry, store, clock } = storedRegistry()
    store.failAfterEffect('put', 3)
    const run = observe(say(registry, 'ada', 'one'))
    await clock.advanceAsync(1_500)
    expect(run.state).toBe('rejected')
    await say(registry, 'ada', 'two')

    expect(store.value('ada')).toEqual(['one', 'two'])
  })

  it('and is then overwritten elsewhere: a conflict', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.failAfterEffect('put')
    const run = observe(say(registry, 'ada', 'two'))
    await settle()
    store.writeElsewhere({ value: ['one', 'two', 'elsewhere'] })
    await clock.advanceAsync(1_500)

    expect(run.error).toEqual(conflict)
    expect(store.value('ada')).toEqual(['one', 'two', 'elsewhere'])
  })

  it('and is then deleted elsewhere: a conflict', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.failAfterEffect('put')
    const run = observe(say(registry, 'ada', 'two'))
    await settle()
    store.deleteElsewhere('ada')
    await clock.advanceAsync(1_500)

    expect(run.error).toEqual(conflict)
    expect(store.value('ada')).toBe(undefined)
  })

  it('and the `get` after a `false` fails: no conflict, but the next try', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.failAfterEffect('put', 3)
    const two = observe(say(registry, 'ada', 'two'))
    await clock.advanceAsync(1_500)
    store.failNext('get', 2)
    const three = observe(say(registry, 'ada', 'three'))
    await clock.advanceAsync(1_500)

    expect(two.state).toBe('rejected')
    expect(three.state).toBe('fulfilled')
    expect(store.value('ada')).toEqual(['one', 'two', 'three'])
  })

  it('at the end: it is repeated, and the session ends once', async () => {
    const { registry, store, clock, events, errors } = storedRegistry({ timeoutMs: 1_000, save: 'end' })
    await say(registry, 'ada', 'one')
    store.failAfterEffect('put', 2)
    clock.advance(1_000)
    registry.sweep()
    await clock.advanceAsync(1_000)

    expect(events.take()).toEqual(['created ada', 'expired ada idle', 'ended ada idle'])
    expect(errors).toEqual([])
    const next = registryOn(store, clock)
    expect(await next.registry.open('ada', { create: false })).toEqual(['one'])
  })

  it.each(['late', 'never'] as const)(
    'takes longer than its time, acknowledged %s: the next try waits until it has settled',
    async (when) => {
      const { registry, store, clock } = storedRegistry({ archiveTimeoutMs: 1_000 })
      const slow = store.gateNext('put')
      const run = observe(say(registry, 'ada', 'one'))
      await slow.begun
      await clock.advanceAsync(1_000)
      expect(slow.signal?.aborted).toBe(true)
      await clock.advanceAsync(300)
      expect(store.take()).toEqual(['get ada', 'put ada'])
      if (when === 'late') slow.end.resolve()
      else slow.end.reject(store.failure)
      await run.settled

      expect(run.state).toBe('fulfilled')
      // What was acknowledged, though late, is in the store.
      expect(store.take()).toEqual(when === 'late' ? [] : ['put ada'])
      expect(store.value('ada')).toEqual(['one'])
    },
  )
})
