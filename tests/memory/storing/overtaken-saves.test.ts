import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { say, storedRegistry } from '../../support/stored-registry.ts'

describe('a save that was overtaken by a later one', () => {
  it('is not written over it by its next try', async () => {
    const { registry, store, clock } = storedRegistry()
    await registry.open('ada')
    store.failNext('put')
    const first = observe(say(registry, 'ada', 'one'))
    await settle()
    // It begins in the pause between two tries.
    const second = registry.run('ada', ({ value }) => value.push('two'), { whenBusy: 'join' })
    await second
    expect(store.value('ada')).toEqual(['one', 'two'])
    await clock.advanceAsync(1_500)

    expect(first.state).toBe('fulfilled')
    expect(store.value('ada')).toEqual(['one', 'two'])
  })

  it('`save` beside `save`: the newer state stays', async () => {
    const { registry, store, clock } = storedRegistry()
    registry.set('ada', ['one'])
    store.failNext('put')
    const first = observe(registry.save('ada'))
    await settle()
    registry.set('ada', ['one', 'two'])
    expect(await registry.save('ada')).toBe(true)
    await clock.advanceAsync(1_500)

    expect(first.value).toBe(true)
    expect(store.value('ada')).toEqual(['one', 'two'])
  })

  it('waits for it where the value is again what the store has', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    // A call that has timed out holds the id.
    const late = store.gateNext('put')
    registry.set('ada', ['lost'])
    const lost = observe(registry.save('ada'))
    await late.begun
    await clock.advanceAsync(40_000)
    registry.set('ada', ['one'])
    const restored = observe(registry.save('ada'))
    await settle()
    late.end.resolve()
    await clock.advanceAsync(2_000)
    await Promise.all([lost.settled, restored.settled])

    expect(restored.value).toBe(true)
    expect(store.value('ada')).toEqual(['one'])
  })

  it('is not reported as stored while an earlier save of another state is to be written', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.take()
    const slow = store.gateNext('put')
    registry.set('ada', ['two'])
    const saves = [observe(registry.save('ada'))]
    await slow.begun
    registry.set('ada', ['three'])
    saves.push(observe(registry.save('ada')))
    registry.set('ada', ['two'])
    saves.push(observe(registry.save('ada')))
    await settle()
    expect(saves.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
    slow.end.resolve()
    await Promise.all(saves.map(({ settled }) => settled))

    expect(saves.map(({ value }) => value)).toEqual([true, true, true])
    expect(store.value('ada')).toEqual(['two'])
  })
})

describe('a save of a session that ends before its next try', () => {
  /** A session whose `save` waits for its second try, while its end is being written. */
  async function endingWhileSaved(options: Parameters<typeof storedRegistry>[0] = {}) {
    const all = storedRegistry({ timeoutMs: 1_000, ...options })
    const { registry, store, clock } = all
    registry.set('ada', ['secret'])
    clock.advance(900)
    store.failNext('put')
    const saved = observe(registry.save('ada'))
    await settle()
    const put = store.gateNext('put')
    clock.advance(100)
    registry.sweep()
    await put.begun
    return { ...all, saved, put }
  }

  it.each(['forget', 'delete', 'clear'] as const)('%s: it does not bring the session back', async (how) => {
    const { registry, store, clock, saved, put } = await endingWhileSaved()
    const deleted = observe(Promise.resolve(how === 'clear' ? registry.clear() : registry[how]('ada')))
    put.end.resolve()
    await registry.settled()
    await clock.advanceAsync(2_000)
    await deleted.settled

    expect(saved.value).toBe(false)
    expect(store.take()).toEqual(['put ada', 'put ada', 'delete ada'])
    expect(store.size).toBe(0)
  })

  it('`replace`: it does not write over the new one', async () => {
    const { registry, store, clock, saved, put } = await endingWhileSaved()
    registry.replace('ada', ['new'])
    put.end.resolve()
    expect(await registry.save('ada')).toBe(true)
    await clock.advanceAsync(500)

    expect(saved.value).toBe(false)
    expect(store.value('ada')).toEqual(['new'])
  })

  it('written at its end: it resolves with `false`, since the session is not live', async () => {
    const { store, clock, saved, put, events } = await endingWhileSaved()
    put.end.resolve()
    await clock.advanceAsync(500)

    expect(saved.value).toBe(false)
    expect(events.take()).toEqual(['created ada', 'expired ada idle', 'ended ada idle'])
    expect(store.take()).toEqual(['put ada', 'put ada'])
    expect(store.value('ada')).toEqual(['secret'])
  })

  it('by age: what was deleted is not written again', async () => {
    const { registry, store, clock } = storedRegistry({ maxAgeMs: 1_000 })
    registry.set('ada', ['secret'])
    clock.advance(900)
    store.failNext('put')
    const saved = observe(registry.save('ada'))
    await settle()
    clock.advance(100)
    registry.sweep()
    await clock.advanceAsync(2_000)

    expect(saved.value).toBe(false)
    expect(store.size).toBe(0)
  })

  it('given up by `close`: nothing is called after the store was closed', async () => {
    const { registry, store, clock } = storedRegistry({ archiveAttempts: 1 })
    registry.set('ada', ['secret'])
    store.failNext('put', 2)
    const saved = observe(registry.save('ada'))
    await settle()
    const report = await registry.close()
    await clock.advanceAsync(2_000)

    expect(report.failed.map(({ id }) => id)).toEqual(['ada'])
    expect(saved.error).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(store.take()).toEqual(['put ada', 'put ada', 'close'])
  })
})
