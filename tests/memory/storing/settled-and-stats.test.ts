import { describe, expect, it } from 'vitest'
import { storedRegistry } from '../../support/stored-registry.ts'

describe('`settled` with a store', () => {
  it('waits for reads, saves, ends and deletions', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: 1_000 })
    const steps: [string, () => void][] = [
      ['get', () => void registry.open('read')],
      ['put', () => void registry.run('saved', ({ value }) => value.push('one'))],
      ['delete', () => void registry.delete('deleted')],
    ]
    for (const [method, begin] of steps) {
      const gate = store.gateNext(method as 'get')
      begin()
      await gate.begun
      let isSettled = false
      const settled = registry.settled().then(() => {
        isSettled = true
      })
      await new Promise((resolve) => setImmediate(resolve))
      expect([method, isSettled]).toEqual([method, false])
      gate.end.resolve()
      await settled
    }
    registry.set('ended', ['one'])
    clock.advance(1_000)
    registry.sweep()
    await registry.settled()

    expect(store.value('ended')).toEqual(['one'])
  })

  it('waits for a save in the pause between two tries', async () => {
    const { registry, store, clock } = storedRegistry()
    store.failNext('put')
    const run = registry.run('ada', ({ value }) => value.push('one'))
    await new Promise((resolve) => setImmediate(resolve))
    let isSettled = false
    const settled = registry.settled().then(() => {
      isSettled = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isSettled).toBe(false)
    await clock.advanceAsync(1_000)
    await Promise.all([run, settled])

    expect(store.value('ada')).toEqual(['one'])
  })
})

describe('`stats` with a store', () => {
  it('counts what was read as loaded, and a failed write at an end as a failed archive', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: 1_000, archiveAttempts: 2 })
    await registry.run('ada', ({ value }) => value.push('one'))
    clock.advance(1_000)
    registry.sweep()
    await registry.settled()
    await registry.open('ada')
    registry.get('ada')?.push('two')
    store.failNext('put')
    clock.advance(1_000)
    registry.sweep()
    await clock.advanceAsync(1_000)

    expect(registry.stats()).toMatchObject({
      size: 0,
      created: 2,
      loaded: 1,
      expired: 2,
      archiveFailures: 1,
      archiving: 0,
      misses: 1,
      turns: 1,
      running: 0,
    })
  })
})
