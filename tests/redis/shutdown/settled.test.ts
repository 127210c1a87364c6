import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const soon = { timeout: 20_000, interval: 10 }

describeOnRedis('settled()', (redis) => {
  const make = (options: Partial<RegistryOptions<string[]>> = {}) =>
    testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [], ...options })

  it('fulfils if nothing is under way, with running turns and holds or without', async () => {
    const registry = await make()
    await registry.set('a', [])
    await registry.hold('a')
    const finish = deferred()
    const turn = registry.run('a', () => finish.promise)

    expect(await registry.settled()).toBeUndefined()
    finish.resolve()
    await turn
  })

  it('load: waits for it, aborted or not', async () => {
    const store = new ManualLoad()
    const registry = await make({ load: store.load })
    const controller = new AbortController()
    const open = observe(registry.open('a', { signal: controller.signal }))
    await expect.poll(() => store.calls.length, soon).toBe(1)
    controller.abort()
    await open.settled
    const settled = observe(registry.settled())
    await registry.has('a')
    expect(settled.state).toBe('pending')
    store.at(0).reject(new Error('aborted'))
    await settled.settled

    expect(settled.state).toBe('fulfilled')
  })

  it('creation and save: waits until they are stored', async () => {
    const prefix = uniquePrefix()
    const registry = await make({ prefix })
    const other = await make({ prefix })
    await other.has('a')
    void registry.getOrCreate('a')
    await registry.settled()
    expect(await other.has('a')).toBe(true)
    void registry.set('b', ['set'])
    await registry.settled()
    expect(await other.get('b')).toEqual(['set'])
    const done = deferred()
    void registry.run('a', async ({ value }) => {
      value.push('saved')
      done.resolve()
    })
    await done.promise
    // When the turn has settled it is being saved.
    await new Promise((resolve) => setImmediate(resolve))
    await registry.settled()

    expect(await other.get('a')).toEqual(['saved'])
  })

  it('archive: waits for the hook, also of a deleted session', async () => {
    const store = new FakeArchive('manual')
    const registry = await make({ timeoutMs: 50, archive: store.archive })
    await registry.set('a', [])
    await expect.poll(() => store.calls.length, soon).toBe(1)
    const settled = observe(registry.settled())
    await registry.delete('a')
    expect(settled.state).toBe('pending')
    store.last.fail(new Error('aborted'))
    await settled.settled

    expect(settled.state).toBe('fulfilled')
  })
})

describeOnRedis('current(), ref() and state', (redis) => {
  it('current: returns the session of the innermost turn, across `await`, and undefined outside', async () => {
    const registry = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    const incarnation = await registry.run('a', async ({ incarnation }) => incarnation)
    const seen = await registry.run('a', async () => {
      await registry.has('a')
      const inner = await registry.run('b', () => registry.current()?.id)
      return [registry.current(), inner]
    })

    expect(seen).toEqual([{ id: 'a', ref: registry.ref('a'), incarnation }, 'b'])
    expect(await registry.run('a', () => registry.current()?.id, { whenBusy: 'join' })).toBe('a')
    for await (const id of registry.stream('c', async function* () {
      yield registry.current()?.id
    })) {
      expect(id).toBe('c')
    }
    expect(registry.current()).toBeUndefined()
  })

  it('state: is open, then closing, then closed', async () => {
    const registry = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    expect(registry.state).toBe('open')
    const closing = registry.close()
    expect(registry.state).toBe('closing')
    await closing

    expect(registry.state).toBe('closed')
  })
})
