import { describe, expect, it } from 'vitest'
import { noSlot } from '../../../src/memory/table/layout.ts'
import { SessionTable } from '../../../src/memory/table/session-table.ts'
import { sweep } from './scan.ts'

const never = Number.POSITIVE_INFINITY

// A sweep in slices goes on asking for what was over when it began, while creations ask for what is over now.
describe.each(['for-evictions', 'for-sweeps'] as const)(
  'a walk of an earlier moment, in order %s',
  (precision) => {
    it('comes to an end after one of a later moment was cut short', () => {
      const table = new SessionTable<number, object>(12_800, never, precision)
      for (let index = 0; index < 5; index += 1) table.insert(String(index), 1, undefined, 50)
      expect(sweep(table, 12_800)).toEqual([])
      expect(sweep(table, 12_850, 1)).toEqual(['0'])
      table.insert('new', 1, undefined, 12_850)

      expect(sweep(table, 12_650)).toEqual([])
      expect(sweep(table, 12_849)).toEqual([])
      expect(sweep(table, 12_850)).toEqual(['1', '2', '3', '4'])
      expect(sweep(table, 25_650)).toEqual(['new'])
    })

    it('finds what another timeout has had over by then', () => {
      const table = new SessionTable<number, object>(12_800, never, precision)
      for (let index = 0; index < 5; index += 1) table.insert(String(index), 1, undefined, 50)
      table.insert('over', 1, 12_500, 100)
      expect(table.nextExpired(12_500)).toBe(noSlot)
      expect(sweep(table, 12_800, 0)).toEqual([])
      table.insert('new', 1, undefined, 12_800)

      expect(sweep(table, 12_650)).toEqual(['over'])
      expect(sweep(table, 12_850)).toEqual(['0', '1', '2', '3', '4'])
    })

    it('has nothing to look at where a later one has met many too early', () => {
      const table = new SessionTable<number, object>(12_800, never, precision)
      for (let index = 0; index < 1_000; index += 1) table.insert(String(index), 1, undefined, 50)
      expect(sweep(table, 12_800)).toEqual([])
      expect(sweep(table, 12_850, 1)).toEqual(['0'])
      table.insert('new', 1, undefined, 12_850)

      expect(table.nextExpired(12_650)).toBe(noSlot)
      expect(sweep(table, 12_650)).toEqual([])
      expect(sweep(table, 12_850)).toHaveLength(999)
    })
  },
)
