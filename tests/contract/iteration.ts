import { expect, it } from 'vitest'
import { type ContractHarness, collect } from './harness.ts'

export function describeIteration(harness: ContractHarness): void {
  const { unitMs, latenessMs } = harness

  it('live sessions: keys, values and sessions', async () => {
    const registry = await harness.make({})
    await registry.set('a', ['1'])
    await registry.set('b', ['2'])
    const sessions = await collect(registry.sessions())

    expect((await collect(registry.keys())).toSorted()).toEqual(['a', 'b'])
    expect((await collect(registry.values())).toSorted()).toEqual([['1'], ['2']])
    expect(sessions.map(({ id, value }) => [id, value]).toSorted()).toEqual([
      ['a', ['1']],
      ['b', ['2']],
    ])
  })

  it('no session: yields nothing', async () => {
    const registry = await harness.make({})

    expect(await collect(registry.keys())).toEqual([])
    expect(await collect(registry.sessions())).toEqual([])
  })

  it('expired session: is not yielded', async () => {
    const registry = await harness.make({ timeoutMs: 20 * unitMs })
    await registry.set('over', [], { timeoutMs: 2 * unitMs })
    await registry.set('live', [])
    await harness.advance(2 * unitMs + latenessMs)

    expect(await collect(registry.keys())).toEqual(['live'])
    expect(await collect(registry.values())).toEqual([[]])
  })

  it('sessions that end or are created meanwhile: do no harm', async () => {
    const registry = await harness.make({})
    const ids = Array.from({ length: 20 }, (_, index) => `id-${index}`)
    for (const id of ids) await registry.set(id, [])
    const seen: string[] = []
    for await (const id of registry.keys()) {
      seen.push(id)
      await registry.delete(id)
      await registry.set(`late-${id}`, [])
      if (seen.length > 1_000) break
    }

    expect(new Set(seen).size).toBe(seen.length)
    for (const id of ids) expect(seen).toContain(id)
  })
}
