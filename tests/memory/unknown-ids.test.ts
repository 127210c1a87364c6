import { expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'

// `get` of an unknown key creates a phantom in @isaacs/ttlcache that later fires `stale`.
it('reads of an unknown id: create nothing', () => {
  const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 500 })
  registry.get('a')
  registry.touch('a')
  registry.has('a')
  registry.peek('a')
  registry.hold('a')
  registry.delete('a')
  expect(registry.size).toBe(0)
  expect(clock.pending).toBe(0)
  clock.advance(10_000)

  expect(registry.sweep()).toBe(0)
  expect(events.lines).toEqual([])
  expect(events.sweeps).toEqual([])
})
