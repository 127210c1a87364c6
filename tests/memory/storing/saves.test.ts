import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

describe('`save: turn`', () => {
  it('resolves a run only when the store has the value', async () => {
    const { registry, store } = storedRegistry()
    const put = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'one'))
    await put.begun
    await settle()
    expect(run.state).toBe('pending')
    put.end.resolve()
    await run.settled

    expect(run.state).toBe('fulfilled')
    expect(store.value('ada')).toEqual(['one'])
  })

  it('makes the next turn wait for the save, which is the last part of the turn', async () => {
    const { registry, store } = storedRegistry()
    const put = store.gateNext('put')
    const first = observe(say(registry, 'ada', 'one'))
    const seen: string[] = []
    const second = registry.run('ada', ({ value }) => seen.push(...value))
    await put.begun
    await settle()
    expect(seen).toEqual([])
    expect(registry.stats()).toMatchObject({ running: 1, waiting: 1, held: 1 })
    put.end.resolve()
    await second

    expect(first.state).toBe('fulfilled')
    expect(seen).toEqual(['one'])
  })

  it('saves different sessions side by side', async () => {
    const { registry, store } = storedRegistry()
    const slow = store.gateNext('put')
    const ada = observe(say(registry, 'ada', 'one'))
    await slow.begun
    await say(registry, 'bob', 'one')

    expect(ada.state).toBe('pending')
    expect(store.value('bob')).toEqual(['one'])
    slow.end.resolve()
    await ada.settled
  })

  it('writes under a new revision each time, and names the one that it replaces', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    await say(registry, 'ada', 'two')
    await say(registry, 'ada', 'three')

    const revisions = store.puts.map(({ session }) => session.revision)
    expect(new Set(revisions).size).toBe(3)
    expect(store.puts.map(({ replaces }) => replaces)).toEqual([null, revisions[0], revisions[1]])
  })

  it('does not write a session that has not changed, at its end neither', async () => {
    const { registry, store, clock, events } = storedRegistry({ timeoutMs: 1_000 })
    await say(registry, 'ada', 'one')
    await registry.run('ada', ({ value }) => value.length)
    clock.advance(1_000)
    registry.sweep()
    await settle()

    expect(events.take()).toEqual(['created ada', 'expired ada idle', 'ended ada idle'])
    expect(store.take()).toEqual(['get ada', 'put ada'])
  })

  it('does not write what was read and has not changed', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.take()
    const next = registryOn(store, clock)
    await next.registry.run('ada', ({ value }) => value.length)
    await next.registry.close()

    expect(store.take()).toEqual(['get ada', 'close'])
  })

  it('writes a session whose own `timeoutMs` alone has changed', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    await registry.run('ada', (session) => {
      session.timeoutMs = 7_000
    })

    expect(store.session('ada')).toMatchObject({ text: '["one"]', timeoutMs: 7_000 })
  })

  it('writes at the end what was changed outside of turns', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: 1_000 })
    registry.set('ada', ['set'])
    await settle()
    expect(store.take()).toEqual([])
    clock.advance(1_000)
    registry.sweep()
    await settle()

    expect(store.take()).toEqual(['put ada'])
    expect(store.value('ada')).toEqual(['set'])
  })

  it('does not save a turn that throws; what it changed goes with the next save', async () => {
    const { registry, store } = storedRegistry()
    const failure = new Error('the model is away')
    const run = registry.run('ada', ({ value }) => {
      value.push('question')
      throw failure
    })

    await expect(run).rejects.toBe(failure)
    expect(store.take()).toEqual(['get ada'])
    await registry.run('ada', ({ value }) => value.length)
    expect(store.value('ada')).toEqual(['question'])
  })
})

describe('`save: end`', () => {
  it('writes when the session ends, not after its turns', async () => {
    const { registry, store, clock } = storedRegistry({ save: 'end', timeoutMs: 1_000 })
    await say(registry, 'ada', 'one')
    await say(registry, 'ada', 'two')
    expect(store.take()).toEqual(['get ada'])
    clock.advance(1_000)
    registry.sweep()
    await settle()

    expect(store.take()).toEqual(['put ada'])
    expect(store.value('ada')).toEqual(['one', 'two'])
    await say(registry, 'ada', 'three')
    expect(await registry.open('ada')).toEqual(['one', 'two', 'three'])
  })

  it('does not write a session that has not changed since it was read', async () => {
    const { registry, store } = storedRegistry({ save: 'end' })
    store.writeElsewhere({ value: ['before'], createdAt: Date.now(), lastActiveAt: Date.now() })
    await registry.open('ada')
    await registry.close()

    expect(store.take()).toEqual(['get ada', 'close'])
  })

  it('rejects a run whose session was deleted meanwhile', async () => {
    const { registry } = storedRegistry({ save: 'end' })
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    registry.delete('ada')
    turn.end.resolve('done')
    await turn.run.settled

    expect(turn.run.error).toEqual(sessionError('ERR_SESSION_ENDED'))
  })
})

describe('a run whose session ended meanwhile', () => {
  it.each(['delete', 'replace'] as const)('%s during the turn: rejects, and is not saved', async (how) => {
    const { registry, store } = storedRegistry()
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    turn.session.value.push('lost')
    if (how === 'delete') registry.delete('ada')
    else registry.replace('ada', ['new'])
    turn.end.resolve('done')
    await turn.run.settled

    expect(turn.run.error).toEqual(sessionError('ERR_SESSION_ENDED'))
    await registry.close()
    expect(store.value('ada')).toEqual(how === 'delete' ? undefined : ['new'])
  })

  it.each(['delete', 'replace'] as const)('%s during its save: rejects at once', async (how) => {
    const { registry, store } = storedRegistry()
    const put = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'lost'))
    await put.begun
    if (how === 'delete') registry.delete('ada')
    else registry.replace('ada', ['new'])
    await settle()

    expect(put.signal?.aborted).toBe(true)
    expect(run.error).toEqual(sessionError('ERR_SESSION_ENDED'))
    put.end.resolve()
    await registry.close()
    expect(store.value('ada')).toEqual(how === 'delete' ? undefined : ['new'])
  })

  it('deletes itself: its run rejects, and nothing is stored', async () => {
    const { registry, store } = storedRegistry()
    const run = registry.run('ada', ({ value }) => {
      value.push('secret')
      registry.delete('ada')
    })

    await expect(run).rejects.toEqual(sessionError('ERR_SESSION_ENDED'))
    await registry.settled()
    expect(store.value('ada')).toBe(undefined)
  })
})
