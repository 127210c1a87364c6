import { LRUCache } from 'lru-cache'
import type { Session } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'

// Stack overflow in lru-cache and quick-lru.
describe('a listener that reads the id being removed', () => {
  it('overflows the stack in lru-cache', () => {
    let now = 1
    const cache = new LRUCache<string, number>({
      max: 10,
      ttl: 10,
      ttlResolution: 0,
      perf: { now: () => now },
      dispose: (_value, key) => void cache.get(key),
    })
    cache.set('a', 1)
    now = 100

    expect(() => cache.get('a')).toThrow(RangeError)
  })

  it('finds nothing, and is called once', () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000 })
    const found: unknown[] = []
    const read = ({ id }: Session<string[]>) =>
      found.push(registry.get(id), registry.touch(id), registry.delete(id))
    registry.on('expired', read)
    registry.on('ended', read)
    registry.getOrCreate('a')
    clock.advance(1_000)
    registry.get('a')

    expect(found).toEqual([undefined, false, false, undefined, false, false])
    expect(events.lines).toEqual(['created a', 'expired a idle', 'ended a idle'])
  })

  it('may create it again, and the caller gets the new session', () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000 })
    registry.on('ended', ({ id }, reason) => {
      if (reason === 'idle') registry.set(id, ['from the listener'])
    })
    registry.set('a', ['old'])
    clock.advance(1_000)

    expect(registry.getOrCreate('a')).toEqual(['from the listener'])
    expect(events.lines).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
  })
})

// `close()` inside a listener does not stop node-cache.
describe('a listener that closes the registry', () => {
  it('stops the sweep in which it is called, and every later one', async () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 500 })
    registry.once('expired', () => void registry.close())
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    clock.advance(1_000)
    await registry.close()

    expect(clock.pending).toBe(0)
    expect(registry.size).toBe(0)
    expect(events.lines.filter((line) => line.startsWith('ended')).toSorted()).toEqual([
      'ended a idle',
      'ended b idle',
      'ended c idle',
    ])
    expect(() => registry.getOrCreate('d')).toThrow('closed')
  })
})
