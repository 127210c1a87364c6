import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { ChannelRecorder } from '../../support/channel-recorder.ts'
import { deferred } from '../../support/deferred.ts'
import { RecordingStore } from '../../support/recording-store.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const patient = { timeout: 60_000 }
const soon = { timeout: 20_000, interval: 10 }

const turn = (...parts: string[]) => parts.map((part) => `turn:${part}`)
const save = (...parts: string[]) => parts.map((part) => `save:${part}`)
const saved = save('start', 'end', 'asyncStart', 'asyncEnd')

describeOnRedis('the channels of a registry on Redis', (redis) => {
  const make = (options: Partial<RegistryOptions<string[]>> = {}): Promise<RedisSessionRegistry<string[]>> =>
    testRegistry<string[]>(redis, {
      name: 'watched',
      prefix: uniquePrefix(),
      timeoutMs: 60_000,
      create: () => [],
      ...options,
    })

  it('a turn that has changed its session: its save is the last part of it', patient, async () => {
    const recorder = new ChannelRecorder('watched', ['turn', 'save'])
    const registry = await make()
    const incarnation = await registry.run('ada', (session) => {
      session.value.push('hello')
      return session.incarnation
    })

    expect(recorder.names).toEqual([...turn('start', 'end'), ...saved, ...turn('asyncStart', 'asyncEnd')])
    expect(recorder.of('save:asyncEnd')).toEqual([
      { registry: 'watched', ref: registry.ref('ada'), incarnation, attempt: 1 },
    ])
    expect(recorder.of('turn:start')[0]?.waitedMs).toBeGreaterThan(0)
  })

  it('a turn that has changed nothing: no save', patient, async () => {
    const registry = await make()
    await registry.set('ada', ['hello'])
    const recorder = new ChannelRecorder('watched', ['turn', 'save'])
    await registry.run('ada', ({ value }) => value.length)
    await registry.run('ada', ({ value }) => value.length, { whenBusy: 'join' })

    const settled = turn('start', 'end', 'asyncStart', 'asyncEnd')
    expect(recorder.names).toEqual([...settled, ...settled])
  })

  it('a turn whose session is deleted elsewhere: the save fails, and the turn with it', patient, async () => {
    const recorder = new ChannelRecorder('watched', ['turn', 'save'])
    const prefix = uniquePrefix()
    const registry = await make({ prefix })
    const other = await make({ prefix, name: 'other' })
    const run = registry.run('ada', async ({ value }) => {
      value.push('hello')
      await other.delete('ada')
    })
    await expect(run).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })

    expect(recorder.names).toEqual([
      ...turn('start', 'end'),
      ...save('start', 'end', 'error', 'asyncStart', 'asyncEnd'),
      ...turn('error', 'asyncStart', 'asyncEnd'),
    ])
    expect(recorder.of('save:error')[0]?.error).toMatchObject({ code: 'ERR_SESSION_ENDED' })
  })

  it('`set`: no turn, also where it waits for one', patient, async () => {
    const recorder = new ChannelRecorder('watched', ['turn'])
    const registry = await make()
    const blocked = deferred<void>()
    const run = registry.run('ada', () => blocked.promise)
    await expect.poll(() => recorder.names, soon).toContain('turn:end')
    const set = registry.set('ada', ['hello'])
    blocked.resolve()
    await Promise.all([run, set])

    expect(recorder.of('turn:start')).toHaveLength(1)
    expect(await registry.get('ada')).toEqual(['hello'])
  })

  it('events: published in the process that causes them', patient, async () => {
    const recorder = new ChannelRecorder('watched', ['created', 'ended'])
    const others = new ChannelRecorder('other', ['created', 'ended'])
    const prefix = uniquePrefix()
    const registry = await make({ prefix })
    const other = await make({ prefix, name: 'other' })
    await registry.open('ada')
    await other.delete('ada')

    expect(recorder.names).toEqual(['created'])
    expect(others.names).toEqual(['ended'])
    const [created] = recorder.of('created')
    expect(others.of('ended')[0]).toMatchObject({ ref: created?.ref, incarnation: created?.incarnation })
  })

  it('a sweep: one message, though nothing else observes it', patient, async () => {
    const recorder = new ChannelRecorder('watched', ['swept'])
    const registry = await make({ timeoutMs: 50, intervalMs: Number.POSITIVE_INFINITY, shards: 1 })
    await registry.set('ada', ['hello'])
    await expect.poll(() => registry.has('ada'), soon).toBe(false)
    expect(await registry.sweep()).toBe(1)

    expect(recorder.of('swept')).toEqual([
      { registry: 'watched', expired: 1, remaining: 0, durationMs: expect.any(Number) },
    ])
  })

  it(
    'a store: `save(id)` is a save, a read is a load, the write at the end is an archive',
    patient,
    async () => {
      const recorder = new ChannelRecorder('watched', ['save', 'load', 'archive', 'ended'])
      const store = new RecordingStore()
      const registry = await make({ store, timeoutMs: 300, intervalMs: 20, shards: 1 })
      await registry.open('ada')
      expect(recorder.names).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'].map((part) => `load:${part}`))
      const { incarnation } = (await registry.peek('ada')) ?? {}
      await registry.save('ada')
      expect(recorder.names.slice(4)).toEqual(saved)
      await registry.run('ada', ({ value }) => {
        value.push('hello')
      })
      await expect.poll(() => recorder.names.at(-1), soon).toBe('ended')

      const about = { registry: 'watched', ref: registry.ref('ada'), incarnation }
      expect(recorder.of('save:asyncEnd')).toEqual([
        { ...about, attempt: 1 },
        { ...about, attempt: 1 },
      ])
      expect(recorder.of('archive:asyncEnd')).toEqual([{ ...about, reason: 'idle', attempt: 1 }])
    },
  )
})
