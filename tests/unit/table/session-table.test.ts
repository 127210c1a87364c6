import { describe, expect, it } from 'vitest'
import type { SessionRecord } from '../../src/memory/session-record.ts'
import { sessionState } from '../../src/memory/session-record.ts'
import { SessionTable } from '../../src/memory/session-table.ts'

const never = Number.POSITIVE_INFINITY

function hold(table: SessionTable<number>, record: SessionRecord<number>) {
  table.hold(record)
  record.state = sessionState.held
}

function release(table: SessionTable<number>, record: SessionRecord<number>, now: number) {
  table.release(record, now)
  record.state = sessionState.active
}

/** Takes out what is over, and says which. */
function sweep(table: SessionTable<number>, now: number, most = never): string[] {
  const ids: string[] = []
  for (const record of table.over(now)) {
    if (record === undefined) continue
    table.remove(record)
    ids.push(record.id)
    if (ids.length >= most) break
  }
  return ids
}

describe.each(['for-evictions', 'for-sweeps'] as const)('the table, in order %s', (order) => {
  function tableOf(timeoutMs: number, maxAgeMs = never) {
    return new SessionTable<number>(timeoutMs, maxAgeMs, order)
  }

  it('has a session one millisecond before its timeout, and has it over at its timeout', () => {
    const table = tableOf(1_000)
    const record = table.insert('a', 1, undefined, 0)

    expect(table.isOver(record, 999)).toBe(false)
    expect(table.isOver(record, 1_000)).toBe(true)
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
    const record = table.insert('a', 1, undefined, 0)
    expect(table.expiryReason(record)).toBe('idle')
    table.touch(record, 499)
    expect(table.expiryReason(record)).toBe('idle')
    table.touch(record, 501)

    expect(table.expiryReason(record)).toBe('age')
  })

  it('counts what can end by time', () => {
    const table = tableOf(never)
    const record = table.insert('a', 1, undefined, 0)
    expect(table.expirableCount).toBe(0)
    const finite = table.insert('b', 1, 1_000, 0)
    expect(table.expirableCount).toBe(1)
    table.assignTimeout(record, 5_000)
    expect(table.expirableCount).toBe(2)
    table.assignTimeout(record, undefined)
    table.remove(finite)
    expect(table.expirableCount).toBe(0)

    const aging = tableOf(never, 1_000)
    aging.insert('a', 1, undefined, 0)
    expect(aging.expirableCount).toBe(1)
  })

  it('looks at the first few, and not at all that live, when nothing is over', () => {
    const table = tableOf(12_800)
    let reads = 0
    for (let index = 0; index < 1_000; index += 1) {
      const record = table.insert(String(index), 1, undefined, index * 12)
      const { lastActive } = record
      Object.defineProperty(record, 'lastActive', {
        get: () => {
          reads += 1
          return lastActive
        },
      })
    }
    expect(table.mayHaveOver(12_000)).toBe(false)
    expect(sweep(table, 12_000)).toEqual([])

    expect(reads).toBeLessThan(10)
  })

  it('looks at a few timeouts, and not at all, however many different ones there are', () => {
    const table = tableOf(never)
    let reads = 0
    for (let index = 0; index < 1_000; index += 1) {
      const record = table.insert(String(index), 1, 60_000 + index * 100, 0)
      const { linkedTick } = record
      Object.defineProperty(record, 'linkedTick', {
        get: () => {
          reads += 1
          return linkedTick
        },
      })
    }
    expect(table.mayHaveOver(59_000)).toBe(false)
    expect(sweep(table, 59_000)).toEqual([])
    expect(sweep(table, 60_250)).toEqual(['0', '1', '2'])

    expect(reads).toBeLessThan(50)
  })

  it('ends those of all timeouts, the soonest first, and forgets a timeout that nobody has any more', () => {
    const table = tableOf(never)
    const timeouts = [5_000, 300, 7_000, 100, 900, 2_000, 400, 8_000, 600]
    for (const timeoutMs of timeouts) table.insert(String(timeoutMs), 1, timeoutMs, 0)
    const late = table.find('7000')
    if (late !== undefined) table.assignTimeout(late, 200)
    for (const id of ['400', '8000']) {
      const record = table.find(id)
      if (record !== undefined) table.remove(record)
    }

    expect(sweep(table, 1_000)).toEqual(['100', '7000', '300', '600', '900'])
    expect(sweep(table, 10_000)).toEqual(['2000', '5000'])
    expect(table.expirableCount).toBe(0)
    expect(table.mayHaveOver(1e9)).toBe(false)
  })

  it('puts aside what could be over by its granule, and finds it at its deadline', () => {
    const table = tableOf(12_800)
    for (const start of [0, 50, 99]) table.insert(`at ${start}`, 1, undefined, start)
    const late = table.find('at 50')
    if (late !== undefined) table.touch(late, 98)
    expect(sweep(table, 12_800)).toEqual(['at 0'])
    expect(table.mayHaveOver(12_897)).toBe(false)
    expect(table.mayHaveOver(12_898)).toBe(true)
    expect(sweep(table, 12_898)).toEqual(['at 50'])
    expect(sweep(table, 12_899)).toEqual(['at 99'])
  })

  it('brings back in order what was put aside and is touched again', () => {
    const table = tableOf(12_800)
    const record = table.insert('a', 1, undefined, 50)
    table.insert('b', 1, undefined, 60)
    expect(sweep(table, 12_810)).toEqual([])
    table.touch(record, 12_820)

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
    const steps = [...table.over(12_800)]

    expect(steps.length).toBeGreaterThan(5)
    expect(steps.every((step) => step === undefined)).toBe(true)
  })

  it('passes over what is held, and finds it after its release', () => {
    const table = tableOf(1_000, 3_000)
    const record = table.insert('a', 1, undefined, 0)
    hold(table, record)
    expect(table.isOver(record, 10_000)).toBe(false)
    expect(sweep(table, 10_000)).toEqual([])
    expect(table.heldCount).toBe(1)
    expect(table.leastActive).toBeUndefined()
    release(table, record, 10_000)

    expect(table.heldCount).toBe(0)
    expect(sweep(table, 10_000)).toEqual(['a'])
  })

  it('gives as the least active the exact one where nothing ends by idleness', () => {
    const table = tableOf(never)
    for (const id of ['a', 'b', 'c']) table.insert(id, 1, undefined, 0)
    const first = table.find('a')
    if (first !== undefined) table.touch(first, 0)

    expect(table.leastActive?.id).toBe('b')
    expect(table.snapshot().map(({ id }) => id)).toEqual(['b', 'c', 'a'])
  })

  it('gives the least active of all timeouts', () => {
    const table = tableOf(100_000)
    table.insert('a', 1, undefined, 2_000)
    table.insert('b', 1, never, 1_000)
    table.insert('c', 1, 500_000, 9_000)

    expect(table.leastActive?.id).toBe('b')
  })

  it('keeps the idle time so far when a session gets another timeout', () => {
    const table = tableOf(1_000)
    const record = table.insert('a', 1, undefined, 0)
    for (let index = 1; index <= 5; index += 1) table.insert(`b${index}`, 1, 2_000, index * 300)
    table.assignTimeout(record, 2_000)
    expect(sweep(table, 1_999)).toEqual([])
    expect(sweep(table, 2_000)).toEqual(['a'])

    expect(sweep(table, 10_000)).toEqual(['b1', 'b2', 'b3', 'b4', 'b5'])
  })

  it('starts the times of a session anew that is put back', () => {
    const table = tableOf(1_000, 1_500)
    const record = table.insert('a', 1, 2_000, 0)
    table.insert('b', 1, undefined, 100)
    table.remove(record)
    table.reinsert(record, 1_000)

    expect(sweep(table, 2_499)).toEqual(['b'])
    expect(table.expiryReason(record)).toBe('age')
    expect(sweep(table, 2_500)).toEqual(['a'])
  })

  it('walks each record once, wherever walks have put it', () => {
    const table = tableOf(12_800)
    const ids = ['a', 'b', 'c', 'd']
    const records = ids.map((id, index) => table.insert(id, 1, undefined, index * 30))
    for (const [index, at] of [
      [0, 700],
      [1, 40],
      [2, 400],
    ] as const) {
      const record = records[index]
      if (record !== undefined) table.touch(record, at)
    }
    expect(sweep(table, 12_835)).toEqual([])

    expect(table.snapshot().map(({ id }) => id)).toEqual(['b', 'd', 'c', 'a'])
    expect(table.leastActive?.id).toBe('b')
  })

  it('walks records in order of activity, those in use last', () => {
    const table = tableOf(100_000)
    const records = ['a', 'b', 'c', 'd'].map((id, index) => table.insert(id, 1, undefined, index * 10))
    const [a, b] = records
    if (a !== undefined) hold(table, a)
    if (b !== undefined) table.touch(b, 100)

    expect(table.snapshot().map(({ id }) => id)).toEqual(['c', 'd', 'b', 'a'])
    expect(table.heldRecords().map(({ id }) => id)).toEqual(['a'])
  })
})
