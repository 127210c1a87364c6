import { describe, expect, it } from 'vitest'
import { SessionTable } from '../../src/memory/session-table.ts'

const never = Number.POSITIVE_INFINITY

/** Takes out what is over, and says which. */
function sweep(table: SessionTable<number>, now: number): string[] {
  const ids: string[] = []
  for (const record of table.over(now)) {
    if (record === undefined) continue
    table.remove(record)
    ids.push(record.id)
  }
  return ids
}

describe.each(['for-evictions', 'for-sweeps'] as const)('a session met too early, in order %s', (order) => {
  function tableOf(timeoutMs: number) {
    return new SessionTable<number>(timeoutMs, never, order)
  }

  it('is found at its deadline, and not before, however long after it was put in its place it was in use', () => {
    const table = tableOf(12_800)
    const touches = [0, 99, 100, 350, 650, 799, 800, 1_500]
    for (const at of touches) table.insert(`at ${at}`, 1, undefined, 0)
    for (const at of touches) {
      const record = table.find(`at ${at}`)
      if (record !== undefined) table.touch(record, at)
    }

    for (const at of touches) {
      expect(sweep(table, at + 12_800 - 1)).toEqual([])
      expect(table.mayHaveOver(at + 12_800)).toBe(true)
      expect(sweep(table, at + 12_800)).toEqual([`at ${at}`])
    }
  })

  it('is met again a few times only', () => {
    const table = tableOf(12_800)
    const count = 100
    for (let index = 0; index < count; index += 1) table.insert(String(index), 1, undefined, 0)
    let reads = 0
    for (let index = 0; index < count; index += 1) {
      const record = table.find(String(index))
      if (record === undefined) continue
      table.touch(record, 650)
      Object.defineProperty(record, 'lastActive', {
        get: () => {
          reads += 1
          return 650
        },
      })
    }
    let ended = 0
    for (let now = 12_000; now <= 13_449; now += 10) ended += sweep(table, now).length

    expect(ended).toBe(0)
    expect(reads).toBeLessThan(count * 12)
    expect(sweep(table, 13_450)).toHaveLength(count)
  })
})
