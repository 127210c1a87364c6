import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'

function recorder(clock: ManualClock) {
  const recorded: string[] = []
  const start = (name: string, ms: number) =>
    clock.setTimeout(() => recorded.push(`${name}@${clock.now()}`), ms)
  return { recorded, start }
}

describe('ManualClock', () => {
  it('stands still until it is advanced', async () => {
    const clock = new ManualClock()
    expect(clock.now()).toBe(0)
    const date = clock.date()
    await new Promise((resolve) => setTimeout(resolve, 2))

    expect(clock.now()).toBe(0)
    expect(clock.date()).toBe(date)
  })

  it('has a date that begins today and advances with it', () => {
    const earliest = Date.now()
    const clock = new ManualClock()
    const date = clock.date()
    expect(date).toBeGreaterThanOrEqual(earliest)
    expect(date).toBeLessThanOrEqual(Date.now())
    clock.advance(1_234.5)

    expect(clock.date()).toBe(date + 1_234.5)
    expect(clock.now()).toBe(1_234.5)
  })

  it('advance: runs due timers in order, each at its own time, and leaves the rest', () => {
    const clock = new ManualClock()
    const { recorded, start } = recorder(clock)
    start('c', 30)
    start('a', 10)
    start('b', 10)
    start('d', 31)
    clock.advance(30)

    expect(recorded).toEqual(['a@10', 'b@10', 'c@30'])
    expect(clock.pending).toBe(1)
    expect(clock.now()).toBe(30)
  })

  it('advance: runs a timer exactly at its time, and not one millisecond before', () => {
    const clock = new ManualClock()
    const { recorded, start } = recorder(clock)
    start('a', 10)
    clock.advance(9.999)
    expect(recorded).toEqual([])
    clock.advance(0.001)

    expect(recorded).toHaveLength(1)
  })

  it('advance: runs timers that were started meanwhile and are due', () => {
    const clock = new ManualClock()
    const { recorded, start } = recorder(clock)
    clock.setTimeout(() => {
      start('nested', 5)
      start('late', 50)
    }, 10)
    clock.advance(20)

    expect(recorded).toEqual(['nested@15'])
    expect(clock.pending).toBe(1)
  })

  it('pending: counts timers, without those that were cleared', () => {
    const clock = new ManualClock()
    const { recorded, start } = recorder(clock)
    const handle = start('a', 10)
    start('b', 10)
    expect(clock.pending).toBe(2)
    clock.clearTimeout(handle)
    clock.clearTimeout(handle)
    clock.clearTimeout(undefined)
    expect(clock.pending).toBe(1)
    clock.advance(10)

    expect(recorded).toEqual(['b@10'])
    expect(clock.pending).toBe(0)
  })

  it('treats a delay over 2^31-1 as the host does', () => {
    const clock = new ManualClock()
    const { recorded, start } = recorder(clock)
    start('too long', 2 ** 31)
    start('longest', 2 ** 31 - 1)
    start('wrong', Number.NaN)
    start('negative', -5)
    clock.advance(1)

    expect(recorded).toEqual(['too long@1', 'wrong@1', 'negative@1'])
    expect(clock.pending).toBe(1)
  })

  it('advance: never goes back when a timer advances the clock itself', () => {
    const clock = new ManualClock()
    const { recorded, start } = recorder(clock)
    clock.setTimeout(() => clock.advance(100), 10)
    start('a', 50)
    clock.advance(20)

    expect(recorded).toEqual(['a@50'])
    expect(clock.now()).toBe(110)
  })

  it('advanceAsync: lets promises settle before, between and after the timers', async () => {
    const clock = new ManualClock()
    const recorded: string[] = []
    const later = async (name: string) => {
      for (let hop = 0; hop < 50; hop += 1) await undefined
      recorded.push(`${name}@${clock.now()}`)
    }
    void later('before')
    clock.setTimeout(() => void later('first'), 10)
    clock.setTimeout(() => void later('second'), 20)
    await clock.advanceAsync(30)

    expect(recorded).toEqual(['before@0', 'first@10', 'second@20'])
    expect(clock.now()).toBe(30)
  })

  it('advanceAsync: runs a timer that a promise started between two others', async () => {
    const clock = new ManualClock()
    const { recorded, start } = recorder(clock)
    clock.setTimeout(() => void Promise.resolve().then(() => start('from a promise', 5)), 10)
    start('b', 20)
    await clock.advanceAsync(30)

    expect(recorded).toEqual(['from a promise@15', 'b@20'])
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined] as number[])(
    'advance: rejects %s',
    async (ms) => {
      const clock = new ManualClock()
      const invalid = sessionError('ERR_SESSION_OPTION_INVALID')

      expect(thrownBy(() => clock.advance(ms))).toEqual(invalid)
      expect(await failureOf(() => clock.advanceAsync(ms))).toEqual(invalid)
      expect(clock.now()).toBe(0)
    },
  )

  it('advance: lets a registry sweep after twenty minutes', () => {
    const clock = new ManualClock()
    const registry = new SessionRegistry<string[]>({ clock, create: () => [] })
    registry.getOrCreate('a')
    expect(clock.pending).toBe(1)
    clock.advance(20 * 60_000 - 1)
    expect(registry.size).toBe(1)
    clock.advance(1)

    expect(registry.size).toBe(0)
    expect(clock.pending).toBe(0)
  })
})
