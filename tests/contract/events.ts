import { expect, it } from 'vitest'
import { type ContractHarness, eventually, record } from './harness.ts'

export function describeEvents(harness: ContractHarness): void {
  const { unitMs, latenessMs } = harness

  it('tells of a creation once', async () => {
    const registry = await harness.make({ create: () => [] })
    const lines = record(registry)
    await registry.getOrCreate('a')
    await registry.getOrCreate('a')
    await registry.get('a')
    await registry.get('unknown')

    await eventually(harness, () => expect(lines).toEqual(['created a']))
  })

  it('tells the end of a deleted session once, and not that it expired', async () => {
    const registry = await harness.make({})
    const lines = record(registry)
    await registry.set('a', [])
    await registry.delete('a')
    await registry.delete('a')

    await eventually(harness, () => expect(lines).toEqual(['created a', 'ended a deleted']))
  })

  it('tells that a session expired just before its end', async () => {
    const registry = await harness.make({ timeoutMs: 2 * unitMs })
    const lines = record(registry)
    await registry.set('a', [])
    await harness.advance(2 * unitMs + latenessMs)
    await registry.sweep()

    await eventually(harness, () => expect(lines).toEqual(['created a', 'expired a idle', 'ended a idle']))
  })

  it('tells the ends of all that are cleared', async () => {
    const registry = await harness.make({})
    const lines = record(registry)
    await registry.set('a', [])
    await registry.set('b', [])
    await registry.clear()

    await eventually(harness, () =>
      expect(lines.slice(2).toSorted()).toEqual(['ended a deleted', 'ended b deleted']),
    )
  })

  it('hands the session to the listeners, with its value', async () => {
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

  it('goes on when a listener throws, and emits the very error', async () => {
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

  it('emits what the promise of a listener rejects with', async () => {
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
