import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const failed = sessionError('ERR_SESSION_STORE_FAILED')

describe('`forget`', () => {
  it('resolves with `true` when a session is gone from memory and store', async () => {
    const { registry, store, events } = storedRegistry()
    await say(registry, 'ada', 'one')
    const deletion = store.gateNext('delete')
    const forgotten = observe(registry.forget('ada'))

    expect(registry.has('ada')).toBe(false)
    expect(events.take()).toEqual(['created ada', 'ended ada deleted'])
    await deletion.begun
    await settle()
    expect(forgotten.state).toBe('pending')
    deletion.end.resolve()
    await forgotten.settled
    expect(forgotten.value).toBe(true)
    expect(store.size).toBe(0)
  })

  it('resolves with `false` where it was in the store alone, which it deletes', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    const next = registryOn(store, clock)

    expect(await next.registry.forget('ada')).toBe(false)
    expect(store.size).toBe(0)
    expect(await next.registry.forget('ada')).toBe(false)
  })

  it('resolves with `true` where the session was being written', async () => {
    const { registry, store, clock, events } = storedRegistry({ timeoutMs: 1_000 })
    registry.set('ada', ['one'])
    const put = store.gateNext('put')
    clock.advance(1_000)
    registry.sweep()
    await put.begun
    const forgotten = observe(registry.forget('ada'))
    await settle()
    expect(forgotten.state).toBe('pending')
    put.end.resolve()
    await forgotten.settled

    expect(forgotten.value).toBe(true)
    expect(events.take()).toEqual(['created ada', 'ended ada deleted'])
    expect(store.size).toBe(0)
  })

  it('resolves with `true` where the session was being read', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    const next = registryOn(store, clock)
    const get = store.gateNext('get')
    const opened = observe(next.registry.open('ada'))
    await get.begun
    const forgotten = observe(next.registry.forget('ada'))
    get.end.resolve()
    await Promise.all([forgotten.settled, opened.settled])

    expect(forgotten.value).toBe(true)
    expect(opened.value).toEqual([])
    expect(store.size).toBe(0)
  })

  it('during a turn and during its save: the run rejects, and nothing comes back', async () => {
    const { registry, store } = storedRegistry()
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    turn.session.value.push('secret')
    expect(await registry.forget('ada')).toBe(true)
    turn.end.resolve('done')
    await turn.run.settled
    expect(turn.run.error).toEqual(sessionError('ERR_SESSION_ENDED'))
    const put = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'secret'))
    await put.begun
    const forgotten = observe(registry.forget('ada'))
    await settle()
    expect(run.error).toEqual(sessionError('ERR_SESSION_ENDED'))
    expect(forgotten.state).toBe('pending')
    put.end.resolve()
    await forgotten.settled

    expect(store.size).toBe(0)
    await registry.close()
    expect(store.size).toBe(0)
  })

  it('during a deletion whose effect came before: what was written elsewhere since is gone too', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    const deletion = store.gateNext('delete')
    registry.delete('ada')
    await deletion.begun
    await settle()
    store.writeElsewhere({ value: ['elsewhere'] })
    const forgotten = observe(registry.forget('ada'))
    deletion.end.resolve()
    await forgotten.settled

    expect(forgotten.value).toBe(false)
    expect(store.size).toBe(0)
    expect(store.take()).toEqual(['get ada', 'put ada', 'delete ada', 'delete ada'])
  })

  it('the next `open` finds nothing, in any registry', async () => {
    const { registry, store, clock } = storedRegistry()
    const other = registryOn(store, clock)
    await say(registry, 'ada', 'one')
    await other.registry.open('ada')
    await registry.forget('ada')
    expect(await registry.open('ada', { create: false })).toBe(undefined)

    // The other one has it in memory, and may not bring it back.
    await expect(say(other.registry, 'ada', 'two')).rejects.toEqual(
      sessionError('ERR_SESSION_STORE_CONFLICT'),
    )
    expect(store.size).toBe(0)
  })

  it('rejects after `archiveAttempts`, and the deletion goes on', async () => {
    const { registry, store, clock, errors } = storedRegistry({ archiveAttempts: 3 })
    await say(registry, 'ada', 'one')
    store.failNext('delete', 5)
    store.take()
    const forgotten = observe(registry.forget('ada'))
    while (forgotten.state === 'pending') await clock.advanceAsync(10)

    expect(forgotten.error).toEqual(failed)
    expect(forgotten.error).toMatchObject({ cause: store.failure })
    expect(store.take()).toEqual(['delete ada', 'delete ada', 'delete ada'])
    expect(errors).toEqual([failed])
    await clock.advanceAsync(120_000)
    expect(store.size).toBe(0)
    expect(errors).toHaveLength(1)
  })

  it('again, after a rejection: resolves when the deletion under way is done', async () => {
    const { registry, store, clock } = storedRegistry({ archiveAttempts: 1 })
    await say(registry, 'ada', 'one')
    store.failNext('delete', 2)
    expect(await failureOf(() => registry.forget('ada'))).toEqual(failed)
    const again = observe(registry.forget('ada'))
    await settle()
    expect(again.error).toEqual(failed)
    const third = observe(registry.forget('ada'))
    await clock.advanceAsync(1_000)

    expect(third.value).toBe(false)
    expect(store.size).toBe(0)
  })

  it('rejects a wrong id, and on a closed registry', async () => {
    const { registry, store } = storedRegistry()
    await expect(registry.forget('')).rejects.toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    await registry.close()
    store.take()

    await expect(registry.forget('ada')).rejects.toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(store.take()).toEqual([])
  })

  it('without a store: forgets what is in memory', async () => {
    const registry = new SessionRegistry<string[]>({ create: () => [] })
    registry.set('ada', [])

    expect(await registry.forget('ada')).toBe(true)
    expect(await registry.forget('ada')).toBe(false)
    expect(registry.has('ada')).toBe(false)
  })
})
