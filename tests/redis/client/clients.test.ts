import { expect, it } from 'vitest'
import { EventRecorder } from '../../support/event-recorder.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { clientKinds } from '../../support/redis-clients.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const soon = { timeout: 20_000, interval: 10 }

async function all<R>(items: AsyncIterable<R>): Promise<R[]> {
  const found: R[] = []
  for await (const one of items) found.push(one)
  return found
}

describeOnRedis('each client library', (redis) => {
  const make = (kind: (typeof clientKinds)[number], options: object = {}) =>
    testRegistry<string[]>(redis, { kind, prefix: uniquePrefix(), create: () => [], ...options })

  it.each(clientKinds)('reads, writes, iterates and deletes: %s', async (kind) => {
    const registry = await make(kind)
    const events = new EventRecorder<string[]>(registry)
    expect(await registry.get('a')).toBeUndefined()
    expect(await registry.getOrCreate('a')).toEqual([])
    expect(await registry.run('a', ({ value }) => value.push('Zoë', '日本語', '\u0000', '\r\n'))).toBe(4)
    expect(await registry.get('a')).toEqual(['Zoë', '日本語', '\u0000', '\r\n'])
    expect(await registry.touch('a')).toBe(true)
    expect(await registry.touch('b')).toBe(false)
    await registry.set('b', ['x'])
    expect(await registry.size()).toBe(2)
    expect((await all(registry.keys())).sort()).toEqual(['a', 'b'])
    expect((await all(registry)).map(([id]) => id).sort()).toEqual(['a', 'b'])
    const session = await registry.peek('b')
    expect(session).toMatchObject({ id: 'b', value: ['x'], held: false })
    const hold = await registry.hold('b')
    expect((await registry.peek('b'))?.held).toBe(true)
    await hold?.release()
    expect(await registry.delete('a')).toBe(true)
    expect(await registry.delete('a')).toBe(false)
    expect(await registry.clear()).toBe(1)
    expect(await registry.size()).toBe(0)
    expect(events.lines).toEqual(['created a', 'created b', 'ended a deleted', 'ended b deleted'])
  })

  it.each(clientKinds)(
    'archives an expired session and loads it again: %s',
    { timeout: 60_000 },
    async (kind) => {
      const store = new FakeArchive()
      const registry = await make(kind, { timeoutMs: 300, archive: store.archive, load: store.load })
      const events = new EventRecorder<string[]>(registry)
      await registry.run('a', ({ value }) => value.push('before'))
      await expect.poll(() => events.lines, soon).toEqual(['created a', 'expired a idle', 'ended a idle'])
      expect(await registry.run('a', ({ value }) => [...value, 'after'])).toEqual(['before', 'after'])
      store.mode = 'failing'
      registry.on('error', () => {})
      await expect.poll(() => store.calls.length, soon).toBeGreaterThan(1)
    },
  )

  it.each(clientKinds)(
    'excludes concurrent turns of two processes: %s',
    { timeout: 60_000 },
    async (kind) => {
      const prefix = uniquePrefix()
      const one = await make(kind, { prefix })
      const other = await make('redis', { prefix })
      const turns = Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? one : other).run('a', async (session) => {
          const seen = session.value.length
          await new Promise((resolve) => setImmediate(resolve))
          session.value = [...session.value, `${seen}`]
        }),
      )
      await Promise.all(turns)
      expect(await one.get('a')).toEqual(turns.map((_, index) => `${index}`))
    },
  )
})
