import { expect, it } from 'vitest'
import { noSlot } from '../../../src/memory/table/layout.ts'
import { SessionTable } from '../../../src/memory/table/session-table.ts'
import { slotOf } from './scan.ts'

const never = Number.POSITIVE_INFINITY

/**
 * Sessions without a deadline, `a` the least recently active, that came from a class with one in another
 * order.
 */
function moved(precision = ['c', 'a', 'd', 'b']) {
  const table = new SessionTable<number, object>(1_000_000, never, 'for-evictions')
  const ids = precision.toSorted()
  ids.forEach((id, index) => {
    table.insert(id, index, undefined, index)
  })
  for (const id of precision) table.assignTimeout(slotOf(table, id), never)
  return table
}

function evicted(table: SessionTable<number, object>): string[] {
  const ids: string[] = []
  for (let slot = table.leastRecentlyActive; slot !== noSlot; slot = table.leastRecentlyActive) {
    ids.push(table.idOf(slot))
    table.remove(slot)
  }
  return ids
}

it('activity heap: the least recently active comes first, in whatever order the sessions were moved', () => {
  expect(evicted(moved())).toEqual(['a', 'b', 'c', 'd'])
})

it('activity heap: one that is used goes behind all others', () => {
  const table = moved()
  table.touch(slotOf(table, 'a'), 50)

  expect(evicted(table)).toEqual(['b', 'c', 'd', 'a'])
})

it('activity heap: one that is used in the very moment of its last activity is still there once', () => {
  const table = moved()
  table.touch(slotOf(table, 'a'), 0)

  expect(evicted(table)).toEqual(['a', 'b', 'c', 'd'])
})

it('activity heap: one that is held is passed over, and comes back behind all others', () => {
  const table = moved()
  const slot = slotOf(table, 'a')
  table.hold(slot)
  expect(table.idOf(table.leastRecentlyActive)).toBe('b')
  table.release(slot, 60)

  expect(evicted(table)).toEqual(['b', 'c', 'd', 'a'])
})

it('activity heap: one that gets a deadline again is no longer in it', () => {
  const table = moved()
  table.assignTimeout(slotOf(table, 'a'), 500)
  table.assignTimeout(slotOf(table, 'a'), never)

  expect(evicted(table)).toEqual(['a', 'b', 'c', 'd'])
})

it('activity heap: a new session in the slot of one that has gone is not taken for it', () => {
  const table = moved()
  table.remove(slotOf(table, 'a'))
  table.insert('new', 1, never, 70)

  expect(evicted(table)).toEqual(['b', 'c', 'd', 'new'])
})

it('activity heap: entries that are of no use do not pile up', () => {
  const table = moved()
  for (let round = 0; round < 100_000; round += 1) {
    const slot = slotOf(table, 'a')
    table.touch(slot, 100 + round)
    table.assignTimeout(slot, 500_000)
    table.assignTimeout(slot, never)
  }

  expect(evicted(table)).toEqual(['b', 'c', 'd', 'a'])
})
