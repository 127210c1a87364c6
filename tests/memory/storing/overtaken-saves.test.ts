import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
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
