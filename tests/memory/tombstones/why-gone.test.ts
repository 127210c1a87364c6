import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { sessionError, thrownBy } from '../../support/session-error.ts'

function registryWith(options: ConstructorParameters<typeof SessionRegistry<string[]>>[0] = {}) {
  const clock = new ManualClock()
  const defaults = { create: () => [], clock, timeoutMs: 1_000, tombstoneMs: 60_000 }
  return { clock, registry: new SessionRegistry<string[]>({ ...defaults, ...options }) }
}

describe('whyGone', () => {
  it('tells nothing by default', () => {
    const { registry, clock } = registryWith({ tombstoneMs: 0 })
    registry.getOrCreate('a')
    clock.advance(2_000)

    expect(registry.whyGone('a')).toBe(undefined)
  })

  it('tells of an expired session its deadline, swept or not, for `tombstoneMs`', () => {
    const { registry, clock } = registryWith()
    const startedAt = clock.date()
    registry.getOrCreate('a')
    clock.advance(999)
    expect(registry.whyGone('a')).toBe(undefined)
    clock.advance(500)
    const gone = { reason: 'idle', endedAt: startedAt + 1_000 }
    expect(registry.whyGone('a')).toEqual(gone)
    registry.sweep()
    expect(registry.whyGone('a')).toEqual(gone)
    expect(registry.whyGone('never')).toBe(undefined)
    clock.advance(59_500)
    expect(registry.whyGone('a')).toEqual(gone)
    clock.advance(1)

    expect(registry.whyGone('a')).toBe(undefined)
  })

  it.each([
    ['deleted', (registry: SessionRegistry<string[]>) => registry.delete('a')],
    ['deleted', (registry: SessionRegistry<string[]>) => registry.clear()],
    ['capacity', (registry: SessionRegistry<string[]>) => registry.getOrCreate('b')],
    ['closed', (registry: SessionRegistry<string[]>) => registry.close()],
  ] as const)('tells the reason %s', async (reason, end) => {
    const { registry, clock } = registryWith({ maxSessions: 1 })
    registry.getOrCreate('a')
    clock.advance(10)
    await end(registry)

    expect(registry.whyGone('a')).toEqual({ reason, endedAt: clock.date() })
  })

  it('tells nothing of a session that lives again, is archived or disposed of', async () => {
    let settle = () => {}
    const { registry } = registryWith({
      dispose: () =>
        new Promise<void>((resolve) => {
          settle = resolve
        }),
    })
    registry.getOrCreate('a')
    registry.delete('a')
    expect(registry.whyGone('a')).toBe(undefined)
    settle()
    await registry.settled()
    expect(registry.whyGone('a')?.reason).toBe('deleted')
    registry.getOrCreate('a')

    expect(registry.whyGone('a')).toBe(undefined)
  })

  it('tells of the last of several incarnations, in whatever order they end', async () => {
    const settles: (() => void)[] = []
    const { registry, clock } = registryWith({
      dispose: () => new Promise<void>((done) => settles.push(done)),
    })
    registry.set('a', ['first'])
    registry.replace('a', ['second'])
    clock.advance(10)
    registry.delete('a')
    settles[1]?.()
    await Promise.resolve()
    settles[0]?.()
    await registry.settled()

    expect(registry.whyGone('a')).toEqual({ reason: 'deleted', endedAt: clock.date() })
  })

  it('tells an owner of its own sessions only', () => {
    const { registry } = registryWith()
    registry.getOrCreate('a', undefined, { owner: 'ada' })
    registry.getOrCreate('b')
    registry.clear()

    expect(registry.whyGone('a', { owner: 'ada' })?.reason).toBe('deleted')
    expect(registry.whyGone('a')?.reason).toBe('deleted')
    expect(registry.whyGone('a', { owner: 'bob' })).toBe(undefined)
    expect(registry.whyGone('b', { owner: 'ada' })).toBe(undefined)
  })

  it('keeps the last `maxTombstones`', () => {
    const { registry } = registryWith({ maxTombstones: 2 })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    for (const id of ['a', 'b', 'c']) registry.delete(id)

    expect(['a', 'b', 'c'].map((id) => registry.whyGone(id)?.reason)).toEqual([
      undefined,
      'deleted',
      'deleted',
    ])
  })

  it('refuses an invalid id or owner', () => {
    const { registry } = registryWith()

    expect(thrownBy(() => registry.whyGone(''))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    const wrong = thrownBy(() => registry.whyGone('a', { owner: '' }))
    expect(wrong).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
  })
})
