import { expect, it } from 'vitest'
import { type ContractHarness, type ContractRegistry, collect, eventually, record } from './harness.ts'

export function describeExpiry(harness: ContractHarness): void {
  const { unitMs, latenessMs } = harness

  it('idle timeout: alive just before it, expired at it', async () => {
    const registry = await harness.make({ timeoutMs: 6 * unitMs })
    await registry.set('a', ['hello'])
    await harness.advance(4 * unitMs)
    expect(await registry.has('a')).toBe(true)
    await harness.advance(2 * unitMs + latenessMs)

    expect(await registry.has('a')).toBe(false)
    expect(await registry.peek('a')).toBeUndefined()
    expect(await collect(registry.keys())).toEqual([])
    expect(await registry.get('a')).toBeUndefined()
    expect(await registry.touch('a')).toBe(false)
  })

  const activities = [
    ['getOrCreate', (registry) => registry.getOrCreate('a', () => ['new'])],
    ['get', (registry) => registry.get('a')],
    ['touch', (registry) => registry.touch('a')],
    ['open', (registry) => registry.open('a')],
    ['set', (registry) => registry.set('a', ['hello'])],
    ['a turn', (registry) => registry.run('a', () => {})],
    ['a released hold', async (registry) => (await registry.hold('a'))?.release()],
  ] satisfies [string, (registry: ContractRegistry) => unknown][]

  it.each(activities)('activity: %s restarts the idle time', async (_name, act) => {
    const registry = await harness.make({ timeoutMs: 6 * unitMs, create: () => [] })
    await registry.set('a', ['hello'])
    await harness.advance(4 * unitMs)
    await act(registry)
    await harness.advance(4 * unitMs)

    expect((await registry.peek('a'))?.value).toEqual(['hello'])
  })

  const looks = [
    ['peek', (registry) => registry.peek('a')],
    ['has', (registry) => registry.has('a')],
    ['keys', (registry) => collect(registry.keys())],
    ['values', (registry) => collect(registry.values())],
    ['sessions', (registry) => collect(registry.sessions())],
    ['stats', (registry) => registry.stats()],
  ] satisfies [string, (registry: ContractRegistry) => unknown][]

  it.each(looks)('no activity: %s does not restart the idle time', async (_name, look) => {
    const registry = await harness.make({ timeoutMs: 6 * unitMs, create: () => [] })
    await registry.set('a', ['hello'])
    await harness.advance(4 * unitMs)
    await look(registry)
    await harness.advance(2 * unitMs + latenessMs)

    expect(await registry.has('a')).toBe(false)
  })

  it('maximum age: expires a session however active it is', async () => {
    const registry = await harness.make({ timeoutMs: 20 * unitMs, maxAgeMs: 8 * unitMs })
    const lines = record(registry)
    await registry.set('a', [])
    await harness.advance(3 * unitMs)
    await registry.touch('a')
    await harness.advance(3 * unitMs)
    expect(await registry.touch('a')).toBe(true)
    await harness.advance(2 * unitMs + latenessMs)

    expect(await registry.touch('a')).toBe(false)
    await eventually(harness, () => expect(lines).toEqual(['created a', 'expired a age', 'ended a age']))
  })

  it('getOrCreate: replaces an expired session by a new one', async () => {
    const registry = await harness.make({ timeoutMs: 4 * unitMs })
    const lines = record(registry)
    await registry.getOrCreate('a', () => ['old'])
    await harness.advance(4 * unitMs + latenessMs)

    expect(await registry.getOrCreate('a', () => ['new'])).toEqual(['new'])
    await eventually(harness, () => expect(lines.filter((line) => line === 'ended a idle')).toHaveLength(1))
    expect(lines.filter((line) => line === 'created a')).toHaveLength(2)
    expect(await registry.get('a')).toEqual(['new'])
  })

  it('getOrCreate: sets the timeout of a session that it creates', async () => {
    const registry = await harness.make({ timeoutMs: 6 * unitMs, create: () => [] })
    await registry.getOrCreate('short', undefined, { timeoutMs: 3 * unitMs })
    await registry.set('long', [], { timeoutMs: 40 * unitMs })
    await registry.getOrCreate('usual')
    expect((await registry.peek('short'))?.timeoutMs).toBe(3 * unitMs)
    await harness.advance(4 * unitMs)

    expect(await collect(registry.keys())).not.toContain('short')
    expect(await registry.has('usual')).toBe(true)
    await harness.advance(3 * unitMs)
    expect(await registry.has('usual')).toBe(false)
    expect(await registry.has('long')).toBe(true)
  })

  it('getOrCreate: ignores the timeout of a call that finds a live session', async () => {
    const registry = await harness.make({ timeoutMs: 6 * unitMs, create: () => [] })
    await registry.getOrCreate('a')
    await registry.getOrCreate('a', undefined, { timeoutMs: 1 * unitMs })
    await harness.advance(3 * unitMs)

    expect(await registry.has('a')).toBe(true)
    expect((await registry.peek('a'))?.timeoutMs).toBe(6 * unitMs)
  })

  it('session.timeoutMs: a timeout that a turn assigned stays', async () => {
    const registry = await harness.make({ timeoutMs: 4 * unitMs, maxTurnMs: 20 * unitMs })
    await registry.set('a', [])
    await registry.run('a', (session) => {
      session.timeoutMs = 30 * unitMs
    })
    await harness.advance(8 * unitMs)

    expect(await registry.has('a')).toBe(true)
    expect((await registry.peek('a'))?.timeoutMs).toBe(30 * unitMs)
  })

  it('background sweep: ends a session that is not used again', async () => {
    const registry = await harness.make({ timeoutMs: 3 * unitMs })
    const lines = record(registry)
    await registry.set('a', [])

    await eventually(harness, () => expect(lines).toEqual(['created a', 'expired a idle', 'ended a idle']))
    await eventually(harness, async () => expect(await harness.size(registry)).toBe(0))
  })

  it('background sweep: ends each of many sessions once', async () => {
    const registry = await harness.make({ timeoutMs: 3 * unitMs })
    const lines = record(registry)
    const ids = Array.from({ length: 40 }, (_, index) => `visitor-${index}`)
    for (const id of ids) await registry.set(id, [])
    await harness.advance(3 * unitMs + latenessMs)
    await registry.sweep()

    const ended = () => lines.filter((line) => line.startsWith('ended')).toSorted()
    await eventually(harness, () => expect(ended()).toHaveLength(ids.length))
    expect(ended()).toEqual(ids.map((id) => `ended ${id} idle`).toSorted())
    expect((await registry.stats()).expired).toBe(ids.length)
  })

  it('hold: keeps its session from expiring, and its release restarts the idle time', async () => {
    const registry = await harness.make({ timeoutMs: 5 * unitMs, maxTurnMs: 100 * unitMs })
    await registry.set('a', ['hello'])
    const hold = await registry.hold('a')
    await harness.advance(9 * unitMs)
    expect(await registry.has('a')).toBe(true)
    expect((await registry.peek('a'))?.held).toBe(true)
    await hold?.release()
    await harness.advance(3 * unitMs)
    expect(await registry.has('a')).toBe(true)
    await harness.advance(2 * unitMs + latenessMs)

    expect(await registry.has('a')).toBe(false)
  })

  it('hold: without a session, holds nothing', async () => {
    const registry = await harness.make({ create: () => [] })

    expect(await registry.hold('a')).toBeUndefined()
    expect(await registry.has('a')).toBe(false)
  })
}
