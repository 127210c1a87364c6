import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { RecordingStore } from '../../support/recording-store.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const patient = { timeout: 60_000 }
const soon = { timeout: 20_000, interval: 10 }

const say = (word: string) => (session: { value: string[] }) => {
  session.value.push(word)
}

describeOnRedis('a save of a live session under way', (redis) => {
  const make = (
    store: RecordingStore,
    options: Partial<RegistryOptions<string[]>> = {},
  ): Promise<RedisSessionRegistry<string[]>> =>
    testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 60_000,
      create: () => [],
      store,
      ...options,
    })

  it('keeps a deletion waiting until its write has settled, and then returns `false`', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const saver = await make(store, { prefix })
    const deleter = await make(store, { prefix })
    await saver.run('ada', say('hello'))
    const gate = store.hold('put')
    const saving = saver.save('ada')
    await expect.poll(() => store.count('put'), soon).toBe(1)
    await deleter.delete('ada')
    const opening = deleter.open('ada')
    const opened = observe(opening)
    await deleter.open('bob')
    expect([opened.state, store.count('delete')]).toEqual(['pending', 0])
    gate.resolve()

    expect([await saving, await opening, store.stored('ada')]).toEqual([false, [], undefined])
  })

  it('keeps a deletion waiting also where the session was replaced meanwhile', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const saver = await make(store, { prefix })
    const other = await make(store, { prefix })
    await saver.run('ada', say('hello'))
    const gate = store.hold('put')
    const saving = saver.save('ada')
    await expect.poll(() => store.count('put'), soon).toBe(1)
    await other.replace('ada', ['other'])
    await other.delete('ada')
    await other.open('bob')
    expect(store.count('delete')).toBe(0)
    gate.resolve()

    expect(await saving).toBe(false)
    expect([await other.open('ada'), store.stored('ada')]).toEqual([[], undefined])
  })

  it('keeps a deletion waiting also where the session expired and was set anew', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const saver = await make(store, { prefix, timeoutMs: 400 })
    const other = await make(store, { prefix, timeoutMs: 60_000 })
    await saver.run('ada', say('hello'))
    const gate = store.hold('put')
    const saving = saver.save('ada')
    await expect.poll(() => store.count('put'), soon).toBe(1)
    await expect.poll(() => other.has('ada'), soon).toBe(false)
    await other.set('ada', ['other'])
    await other.delete('ada')
    await other.open('bob')
    expect([store.count('put'), store.count('delete')]).toEqual([1, 0])
    gate.resolve()

    expect(await saving).toBe(false)
    expect([await other.open('ada'), store.stored('ada')]).toEqual([[], undefined])
  })

  it('waits until an older incarnation of the id is in the store', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const archiving = await make(store, { prefix, timeoutMs: 300 })
    const other = await make(store, { prefix })
    const gate = store.hold('put')
    await archiving.run('ada', say('old'))
    await expect.poll(() => store.count('put'), soon).toBe(1)
    await other.set('ada', ['new'])
    const saving = other.save('ada')
    await other.get('ada')
    await other.get('ada')
    expect(store.count('put')).toBe(1)
    gate.resolve()

    expect(await saving).toBe(true)
    expect(store.stored('ada')?.text).toBe('["new"]')
  })

  it('keeps the archive of a session that expires meanwhile waiting', patient, async () => {
    const store = new RecordingStore()
    const prefix = uniquePrefix()
    const one = await make(store, { prefix, timeoutMs: 400 })
    const other = await make(store, { prefix, timeoutMs: 400 })
    const ended: string[] = []
    for (const registry of [one, other]) registry.on('ended', (session) => ended.push(session.id))
    await one.run('ada', say('hello'))
    const gate = store.hold('put')
    const saving = one.save('ada')
    await expect.poll(() => store.count('put'), soon).toBe(1)
    await one.run('bob', say('hello'))
    await one.delete('bob')
    await expect.poll(() => one.has('ada'), soon).toBe(false)
    // Another session that expires later proves that the deadlines were polled since.
    await other.run('eve', say('hello'))
    await expect.poll(() => store.count('put', 'eve'), soon).toBe(1)
    expect([store.count('put', 'ada'), ended]).toEqual([1, ['bob']])
    gate.resolve()

    expect(await saving).toBe(false)
    await expect.poll(() => ended.toSorted(), soon).toEqual(['ada', 'bob', 'eve'])
    expect(store.stored('ada')?.text).toBe('["hello"]')
  })
})
