import { expect, it } from 'vitest'
import { observe } from '../support/observed-promise.ts'
import { failureOf } from '../support/session-error.ts'
import { type ContractHarness, eventually } from './harness.ts'
import { startTurn } from './started-turn.ts'

const ready = { live: true, ready: true }

/** `inspect()` and `health()`. */
export function describeWatching(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options = {}) => harness.make({ create: () => [], timeoutMs: 20 * unitMs, ...options })
  const byId = (one: { readonly id: string }, other: { readonly id: string }) => (one.id < other.id ? -1 : 1)

  it('inspect: a session in use, with its turn, who waits, and its holds', async () => {
    const registry = await make()
    const turn = await startTurn(registry, 'a')
    const next = observe(registry.run('a', () => 'next'))
    const hold = await registry.hold('a')
    await harness.advance(2 * unitMs)
    const [entry, ...others] = await registry.inspect()
    expect(others).toEqual([])
    expect(entry).toEqual({
      ref: expect.stringMatching(/^[\w-]{16}$/),
      id: 'a',
      state: 'held',
      ageMs: expect.any(Number),
      idleMs: 0,
      running: { sinceMs: expect.any(Number), whenBusy: 'wait' },
      waiting: 1,
      holds: [{ sinceMs: expect.any(Number) }],
    })
    const [held] = entry?.holds ?? []
    for (const sinceMs of [entry?.ageMs, entry?.running?.sinceMs, held?.sinceMs])
      expect(sinceMs).toBeGreaterThanOrEqual(2 * unitMs - 1)
    turn.finish()
    await next.settled
    await hold?.release()

    const after = (await registry.inspect()).filter(({ state }) => state !== 'active')
    expect(after).toEqual([])
  })

  it('inspect: sessions that are loaded and archived, with who waits and the attempts', async () => {
    const failure = new Error('down')
    let attempts = 0
    const registry = await make({
      timeoutMs: 2 * unitMs,
      load: (id: string) => (id === 'loaded' ? new Promise<undefined>(() => {}) : Promise.resolve(undefined)),
      archive: async () => {
        attempts += 1
        if (attempts === 1) throw failure
        await new Promise(() => {})
      },
    })
    registry.on('error', () => {})
    await registry.set('archived', [])
    await eventually(harness, () => expect(attempts).toBe(2))
    const opened = observe(registry.open('loaded'))
    await eventually(harness, async () => {
      const entries = (await registry.inspect()).toSorted(byId)
      expect(entries).toMatchObject([
        { id: 'archived', state: 'archiving', waiting: 0, holds: [], attempts: 2 },
        { id: 'loaded', state: 'loading', waiting: 1, holds: [] },
      ])
    })

    expect(opened.state).toBe('pending')
  })

  it('inspect: is no activity', async () => {
    const registry = await make({ timeoutMs: 3 * unitMs })
    await registry.set('a', [])
    for (let looks = 0; looks < 4; looks += 1) {
      await registry.inspect()
      await registry.health()
      await harness.advance(unitMs)
    }

    expect(await registry.has('a')).toBe(false)
  })

  it('health: ready, also without a session; closing from the call of `close` on', async () => {
    const registry = await make()
    expect(await registry.health()).toEqual(ready)
    await registry.set('a', [])
    expect(await registry.health()).toEqual(ready)
    const closed = registry.close({ deadlineMs: 1 })
    expect(await registry.health()).toEqual({ live: true, ready: false, why: 'closing' })
    await closed
  })

  it('health: a load that fails, until one succeeds', async () => {
    let isFailing = true
    const registry = await make({
      load: async () => {
        if (isFailing) throw new Error('down')
        return undefined
      },
    })
    await failureOf(() => registry.open('a'))
    expect(await registry.health()).toEqual({ live: true, ready: false, why: 'store-failing' })
    isFailing = false
    await registry.open('a')

    expect(await registry.health()).toEqual(ready)
  })
}
