import { afterEach, describe, expect, it, vi } from 'vitest'
import { Sessions } from '../../../src/memory/session/sessions.ts'
import { noSlot } from '../../../src/memory/table/layout.ts'
import type { ScanResult } from '../../../src/memory/table/session-table.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'
import { idsOf, slotOf, sweep } from './scan.ts'

const never = Number.POSITIVE_INFINITY

/** Counts the looks at the times of sessions, from now on. */
function countLooks(): () => number {
  const spies = [vi.spyOn(SlotStore.prototype, 'lastActive'), vi.spyOn(SlotStore.prototype, 'linkedTick')]
  return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe.each(['for-evictions', 'for-sweeps'] as const)('the table, in order %s', (precision) => {
  function tableOf(timeoutMs: number, maxAgeMs = never) {
    return new Sessions<number>(timeoutMs, maxAgeMs, precision)
  }

  it('has a session one millisecond before its timeout, and has it over at its timeout', () => {
    const table = tableOf(1_000)
    const slot = table.insert('a', 1, undefined, 0)

    expect(table.isExpired(slot, 999)).toBe(false)
    expect(table.isExpired(slot, 1_000)).toBe(true)
    expect(sweep(table, 999)).toEqual([])
    expect(sweep(table, 1_000)).toEqual(['a'])
    expect(table.size).toBe(0)
  })

  it.each([0.001, 0.5, 1, 3, 127, 128, 1_000.5, 2 ** 40])(
    'finds a session at its very deadline with a timeout of %s, and not before, wherever its granule begins',
    (timeoutMs) => {
      for (const start of [0, 0.3, 1, 999.7, 123_456_789.123, 2 ** 40]) {
        const table = tableOf(timeoutMs)
        table.insert('a', 1, undefined, start)
        // The last moment that a number can tell apart from the deadline.
        const deadline = start + timeoutMs
        const before = deadline - Math.max(timeoutMs / 64, deadline * Number.EPSILON * 2)
        if (before - start < timeoutMs) expect(sweep(table, before)).toEqual([])
        if (deadline - start >= timeoutMs) expect(sweep(table, deadline)).toEqual(['a'])
      }
    },
  )

  it('says which deadline came first', () => {
    const table = tableOf(1_000, 1_500)
    const slot = table.insert('a', 1, undefined, 0)
    expect(table.expiryReason(slot)).toBe('idle')
    table.touch(slot, 499)
    expect(table.expiryReason(slot)).toBe('idle')
    table.touch(slot, 501)

    expect(table.expiryReason(slot)).toBe('age')
  })

  it('counts what can end by time', () => {
    const table = tableOf(never)
    const slot = table.insert('a', 1, undefined, 0)
    expect(table.expirableCount).toBe(0)
    const finite = table.insert('b', 1, 1_000, 0)
    expect(table.expirableCount).toBe(1)
    table.assignTimeout(slot, 5_000)
    expect(table.expirableCount).toBe(2)
    table.assignTimeout(slot, undefined)
    table.remove(finite)
    expect(table.expirableCount).toBe(0)

    const aging = tableOf(never, 1_000)
    aging.insert('a', 1, undefined, 0)
    expect(aging.expirableCount).toBe(1)
  })

  it('looks at the first few, and not at all that live, when nothing is over', () => {
    const table = tableOf(12_800)
    for (let index = 0; index < 1_000; index += 1) table.insert(String(index), 1, undefined, index * 12)
    const looks = countLooks()
    expect(table.mayHaveExpired(12_000)).toBe(false)
    expect(sweep(table, 12_000)).toEqual([])

    expect(looks()).toBeLessThan(10)
    // And the count is one: of a walk that ends them all, it has each of them.
    expect(sweep(table, 1e6)).toHaveLength(1_000)
    expect(looks()).toBeGreaterThan(1_000)
  })

  it('looks at a few timeouts, and not at all, however many different ones there are', () => {
    const table = tableOf(never)
    for (let index = 0; index < 1_000; index += 1) table.insert(String(index), 1, 60_000 + index * 100, 0)
    const looks = countLooks()
    expect(table.mayHaveExpired(59_000)).toBe(false)
    expect(sweep(table, 59_000)).toEqual([])
    expect(sweep(table, 60_250)).toEqual(['0', '1', '2'])

    expect(looks()).toBeLessThan(50)
    expect(looks()).toBeGreaterThan(0)
  })

  it('ends those of all timeouts, the soonest first, and forgets a timeout that nobody has any more', () => {
    const table = tableOf(never)
    const timeouts = [5_000, 300, 7_000, 100, 900, 2_000, 400, 8_000, 600]
    for (const timeoutMs of timeouts) table.insert(String(timeoutMs), 1, timeoutMs, 0)
    table.assignTimeout(slotOf(table, '7000'), 200)
    for (const id of ['400', '8000']) table.remove(slotOf(table, id))

    expect(sweep(table, 1_000)).toEqual(['100', '7000', '300', '600', '900'])
    expect(sweep(table, 10_000)).toEqual(['2000', '5000'])
    expect(table.expirableCount).toBe(0)
    expect(table.mayHaveExpired(1e9)).toBe(false)
  })

  it('begins each walk with the soonest, wherever the last one has ended', () => {
    const table = tableOf(never)
    table.insert('a', 1, 1_000, 0)
    table.insert('b', 1, 1_000, 900)
    expect(sweep(table, 1_000)).toEqual(['a'])
    table.insert('c', 1, 100, 1_500)

    expect(sweep(table, 5_000)).toEqual(['c', 'b'])
  })

  it('puts aside what could be over by its granule, and finds it at its deadline', () => {
    const table = tableOf(12_800)
    for (const start of [0, 50, 99]) table.insert(`at ${start}`, 1, undefined, start)
    table.touch(slotOf(table, 'at 50'), 98)
    expect(sweep(table, 12_800)).toEqual(['at 0'])
    expect(table.mayHaveExpired(12_897)).toBe(false)
    expect(table.mayHaveExpired(12_898)).toBe(true)
    expect(sweep(table, 12_898)).toEqual(['at 50'])
    expect(sweep(table, 12_899)).toEqual(['at 99'])
  })

  it('brings back in order what was put aside and is touched again', () => {
    const table = tableOf(12_800)
    const slot = table.insert('a', 1, undefined, 50)
    table.insert('b', 1, undefined, 60)
    expect(sweep(table, 12_810)).toEqual([])
    table.touch(slot, 12_820)

    expect(sweep(table, 12_860)).toEqual(['b'])
    expect(sweep(table, 25_619)).toEqual([])
    expect(sweep(table, 25_620)).toEqual(['a'])
  })

  it('leaves to the next walk what one that was cut short has not seen', () => {
    const table = tableOf(1_000)
    for (let index = 0; index < 10; index += 1) table.insert(String(index), 1, undefined, index)

    expect(sweep(table, 5_000, 4)).toEqual(['0', '1', '2', '3'])
    expect(sweep(table, 5_000)).toEqual(['4', '5', '6', '7', '8', '9'])
  })

  it('takes breath in a walk over many that were touched within their granule', () => {
    const table = tableOf(12_800)
    for (let index = 0; index < 1_000; index += 1) table.insert(String(index), 1, undefined, 50)
    const steps: ScanResult[] = []
    for (let step: ScanResult = 'paused'; step !== noSlot; steps.push(step)) step = table.nextExpired(12_800)

    expect(steps.length).toBeGreaterThan(5)
    expect(steps.slice(0, -1).every((step) => step === 'paused')).toBe(true)
  })

  it('passes over what is held, and finds it after its release', () => {
    const table = tableOf(1_000, 3_000)
    const slot = table.insert('a', 1, undefined, 0)
    table.hold(slot)
    expect(table.isExpired(slot, 10_000)).toBe(false)
    expect(sweep(table, 10_000)).toEqual([])
    expect(table.heldCount).toBe(1)
    expect(table.leastRecentlyActive).toBe(noSlot)
    table.release(slot, 10_000)

    expect(table.heldCount).toBe(0)
    expect(sweep(table, 10_000)).toEqual(['a'])
  })

  it('gives as the least active the exact one where nothing ends by idleness', () => {
    const table = tableOf(never)
    for (const id of ['a', 'b', 'c']) table.insert(id, 1, undefined, 0)
    table.touch(slotOf(table, 'a'), 0)

    expect(table.idOf(table.leastRecentlyActive)).toBe('b')
    expect(idsOf(table)).toEqual(['b', 'c', 'a'])
  })

  it('gives the least active of all timeouts', () => {
    const table = tableOf(100_000)
    table.insert('a', 1, undefined, 2_000)
    table.insert('b', 1, never, 1_000)
    table.insert('c', 1, 500_000, 9_000)

    expect(table.idOf(table.leastRecentlyActive)).toBe('b')
  })

  it('keeps the idle time so far when a session gets another timeout', () => {
    const table = tableOf(1_000)
    const slot = table.insert('a', 1, undefined, 0)
    for (let index = 1; index <= 5; index += 1) table.insert(`b${index}`, 1, 2_000, index * 300)
    table.assignTimeout(slot, 2_000)
    expect(sweep(table, 1_999)).toEqual([])
    expect(sweep(table, 2_000)).toEqual(['a'])

    expect(sweep(table, 10_000)).toEqual(['b1', 'b2', 'b3', 'b4', 'b5'])
  })

  it('starts the times of a session anew that is put back', () => {
    const table = tableOf(1_000, 1_500)
    const slot = table.insert('a', 1, 2_000, 0)
    table.insert('b', 1, undefined, 100)
    table.reinsert(table.detach(slot), 1_000)

    expect(sweep(table, 2_499)).toEqual(['b'])
    expect(table.expiryReason(slotOf(table, 'a'))).toBe('age')
    expect(sweep(table, 2_500)).toEqual(['a'])
  })

  it('walks each session once, wherever walks have put it', () => {
    const table = tableOf(12_800)
    const ids = ['a', 'b', 'c', 'd']
    for (const [index, id] of ids.entries()) table.insert(id, 1, undefined, index * 30)
    table.touch(slotOf(table, 'a'), 700)
    table.touch(slotOf(table, 'b'), 40)
    table.touch(slotOf(table, 'c'), 400)
    expect(sweep(table, 12_835)).toEqual([])

    expect(idsOf(table)).toEqual(['b', 'd', 'c', 'a'])
    expect(table.idOf(table.leastRecentlyActive)).toBe('b')
  })

  it('walks sessions in order of activity, those in use last', () => {
    const table = tableOf(100_000)
    for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) table.insert(id, 1, undefined, index * 10)
    table.hold(slotOf(table, 'a'))
    table.touch(slotOf(table, 'b'), 100)

    expect(idsOf(table)).toEqual(['c', 'd', 'b', 'a'])
    expect(table.heldRecords().map(({ id }) => id)).toEqual(['a'])
  })
})
