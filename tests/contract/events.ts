import { expect, it } from 'vitest'
import { type ContractHarness, eventually, record } from './harness.ts'

export function describeEvents(harness: ContractHarness): void {
  const { unitMs, latenessMs } = harness

  it('created: emitted once', async () => {
    const registry = await harness.make({ create: () => [] })
    const lines = record(registry)
    await registry.getOrCreate('a')
    await registry.getOrCreate('a')
    await registry.get('a')
    await registry.get('unknown')

    await eventually(harness, () => expect(lines).toEqual(['created a']))
  })

  it('delete: emits one `ended` and no `expired`', async () => {
    const registry = await harness.make({})
    const lines = record(registry)
    await registry.set('a', [])
    await registry.delete('a')
    await registry.delete('a')

    await eventually(harness, () => expect(lines).toEqual(['created a', 'ended a deleted']))
  })

  it('expiry: emits `expired` just before `ended`', async () => {
    const registry = await harness.make({ timeoutMs: 2 * unitMs })
    const lines = record(registry)
    await registry.set('a', [])
    await harness.advance(2 * unitMs + latenessMs)
    await registry.sweep()

    await eventually(harness, () => expect(lines).toEqual(['created a', 'expired a idle', 'ended a idle']))
  })

  it('clear: emits the end of every session', async () => {
    const registry = await harness.make({})
    const lines = record(registry)
    await registry.set('a', [])
    await registry.set('b', [])
    await registry.clear()

    await eventually(harness, () =>
      expect(lines.slice(2).toSorted()).toEqual(['ended a deleted', 'ended b deleted']),
    )
  })

  it('listeners: get the session with its value', async () => {
    const registry = await harness.make({ timeoutMs: 2 * unitMs })
    const seen: unknown[] = []
    registry.on('created', ({ id, value }) => seen.push([id, value]))
    registry.on('ended', ({ id, value, createdAt }, reason) =>
      seen.push([id, value, reason, Number.isFinite(createdAt)]),
    )
    await registry.set('a', ['hello'])
    await harness.advance(2 * unitMs + latenessMs)
    await registry.sweep()

    await eventually(harness, () =>
      expect(seen).toEqual([
        ['a', ['hello']],
        ['a', ['hello'], 'idle', true],
      ]),
    )
  })

  it('a listener that throws: stops nothing, and the very error is emitted', async () => {
    const registry = await harness.make({ timeoutMs: 2 * unitMs })
    const errors: unknown[] = []
    const failure = new Error('the listener is broken')
    registry.on('error', (error) => errors.push(error))
    registry.on('ended', () => {
      throw failure
    })
    const lines = record(registry)
    await registry.set('a', [])
    await registry.set('b', [])
    await harness.advance(2 * unitMs + latenessMs)
    await registry.sweep()

    await eventually(harness, () => {
      expect(lines).toContain('ended a idle')
      expect(lines).toContain('ended b idle')
    })
    expect(errors).toEqual([failure, failure])
    expect((await registry.stats()).listenerErrors).toBe(2)
  })

  it('a listener whose promise rejects: the reason is emitted', async () => {
    const registry = await harness.make({})
    const errors: unknown[] = []
    const failure = new Error('the listener is broken')
    registry.on('error', (error) => errors.push(error))
    registry.on('created', () => Promise.reject(failure))
    await registry.set('a', [])

    await eventually(harness, () => expect(errors).toEqual([failure]))
    expect(await registry.get('a')).toEqual([])
  })
}
