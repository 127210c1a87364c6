import { afterEach, describe, expect, it, vi } from 'vitest'
import { SessionTable } from '../../../src/memory/table/session-table.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'
import { cpuMs } from '../../support/cpu-time.ts'
import { slotOf, sweep } from './scan.ts'

const never = Number.POSITIVE_INFINITY

afterEach(() => {
  vi.restoreAllMocks()
})

describe.each(['for-evictions', 'for-sweeps'] as const)(
  'a session that a scan finds before its deadline, %s',
  (precision) => {
    function tableOf(timeoutMs: number) {
      return new SessionTable<number, object>(timeoutMs, never, precision)
    }

    it('is found at its deadline, and not before, however long after it was put in its place it was in use', () => {
      const table = tableOf(12_800)
      const touches = [0, 99, 100, 350, 650, 799, 800, 1_500]
      for (const at of touches) table.insert(`at ${at}`, 1, undefined, 0)
      for (const at of touches) table.touch(slotOf(table, `at ${at}`), at)

      for (const at of touches) {
        expect(sweep(table, at + 12_800 - 1)).toEqual([])
        expect(table.mayHaveExpired(at + 12_800)).toBe(true)
        expect(sweep(table, at + 12_800)).toEqual([`at ${at}`])
      }
    })

    it('is met again a few times only', () => {
      const table = tableOf(12_800)
      const count = 100
      for (let index = 0; index < count; index += 1) table.insert(String(index), 1, undefined, 0)
      for (let index = 0; index < count; index += 1) table.touch(slotOf(table, String(index)), 650)
      const looks = vi.spyOn(SlotStore.prototype, 'lastActive')
      let ended = 0
      for (let now = 12_000; now <= 13_449; now += 10) ended += sweep(table, now).length

      expect(ended).toBe(0)
      expect(looks.mock.calls.length).toBeLessThan(count * 12)
      expect(looks.mock.calls.length).toBeGreaterThan(count)
      expect(sweep(table, 13_450)).toHaveLength(count)
    })
  },
)

it('sessions whose timeout was changed: a scan of those of 11 days costs no more for each than for a few', () => {
  const table = new SessionTable<number, object>(60 * 86_400_000, never, 'for-sweeps')
  const count = 100_000
  for (let index = 0; index < count; index += 1) table.insert(String(index), 1, undefined, index * 10_000)
  const tookMs = cpuMs(() => {
    for (let index = 0; index < count; index += 1)
      table.assignTimeout(slotOf(table, String(index)), 30 * 86_400_000)
    expect(sweep(table, 30 * 86_400_000 - 1)).toEqual([])
    expect(sweep(table, 30 * 86_400_000)).toEqual(['0'])
    expect(sweep(table, 30 * 86_400_000 + 10_000)).toEqual(['1'])
    expect(sweep(table, 60 * 86_400_000)).toHaveLength(count - 2)
  })

  expect(tookMs).toBeLessThan(5_000)
}, 60_000)
