import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { Random } from '../../support/random.ts'

// Beyond four sessions they stand in the index of our own, where ids of the same length have the same hash
// here.
vi.mock('../../../src/memory/table/layout.ts', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  maxInMap: 4,
  minInHashIndex: 2,
  migrationBatch: 1,
}))
vi.mock('../../../src/memory/table/index/id-hash.ts', () => ({ hashOf: (id: string) => id.length }))

const ids = Array.from({ length: 90 }, (_, at) => String(at * 3))

function filled() {
  const made = clockedRegistry({ timeoutMs: 1_000, intervalMs: 100_000 })
  for (const id of ids) made.registry.set(id, [id])
  return made
}

describe('sessions whose ids have the same hash', () => {
  it('are each given to who has their id, and counted once', () => {
    const { registry } = filled()
    const before = registry.stats()

    expect(ids.filter((id) => registry.get(id)?.[0] !== id)).toEqual([])
    expect(ids.filter((id) => registry.getOrCreate(id)[0] !== id)).toEqual([])
    expect(registry.stats()).toEqual({ ...before, hits: before.hits + 2 * ids.length })
  })

  it('are not found by another id of that hash', () => {
    const { registry } = filled()
    const others = ids.map((id) => String(Number(id) + 1))

    expect(others.filter((id) => registry.get(id) !== undefined)).toEqual([])
    expect(registry.getOrCreate('7')).toEqual([])
    expect(registry.stats()).toMatchObject({ size: ids.length + 1, hits: 0, misses: ids.length + 1 })
  })

  it('do not live on what another one is asked', () => {
    const { registry, clock } = filled()
    clock.advance(100)
    const used = ids.filter((_id, at) => at % 7 === 3)
    for (const id of used) registry.get(id)
    clock.advance(950)

    expect(registry.sweep()).toBe(ids.length - used.length)
    expect([...registry.keys()].toSorted()).toEqual(used.toSorted())
  })

  it('are over when their time has come', () => {
    const { registry, clock } = filled()
    clock.advance(1_000)

    expect(ids.filter((id) => registry.get(id) !== undefined)).toEqual([])
    expect(registry.size).toBe(0)
  })

  it('are what a Map would have, whatever comes and goes', () => {
    const { registry } = clockedRegistry()
    const model = new Map<string, string[]>()
    const random = new Random(7)
    for (let step = 1; step <= 20_000; step += 1) {
      const id = random.pick(ids)
      // Up and down, so that the index is left and come back to.
      if (random.chance(Math.floor(step / 500) % 2 === 0 ? 0.7 : 0.1)) {
        const value = registry.getOrCreate(id)
        if (value !== (model.get(id) ?? value)) expect.fail(`another value in step ${step}`)
        model.set(id, value)
      } else if (registry.delete(id) !== model.delete(id)) expect.fail(`a wrong delete in step ${step}`)
      const other = random.pick(ids)
      if (registry.get(other) !== model.get(other)) expect.fail(`a wrong get in step ${step}`)
      if (registry.size !== model.size) expect.fail(`a size of ${registry.size} in step ${step}`)
    }
  })
})
