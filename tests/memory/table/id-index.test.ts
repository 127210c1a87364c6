import { afterEach, describe, expect, it, vi } from 'vitest'
import { HashIndex } from '../../../src/memory/table/index/hash-index.ts'
import { IdIndex } from '../../../src/memory/table/index/id-index.ts'
import { noSlot, type Slot } from '../../../src/memory/table/layout.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'
import { newSlot } from './new-slot.ts'

/** At more than this a `Map` becomes an index of our own, and at fewer than the other it is one again. */
const maxInMap = 2 ** 17
const minInHashIndex = 2 ** 12
const migrationBatch = 512
const many = 150_000

/** An index and the slot of each id, which is what it should find. */
class Filled {
  readonly slots = new SlotStore()
  readonly index = new IdIndex(this.slots)
  readonly slotOf = new Map<string, Slot>()

  constructor(count: number) {
    for (let at = 0; at < count; at += 1) this.add(`session-${at}`)
  }

  add(id: string): void {
    const slot = newSlot(this.slots, id, 0)
    this.slotOf.set(id, slot)
    this.index.add(id, slot)
  }

  remove(id: string): void {
    const slot = this.slotOf.get(id) ?? noSlot
    this.index.remove(slot)
    this.slotOf.delete(id)
    this.slots.free(slot)
  }

  isMissing = (id: string): boolean => this.index.find(id) !== this.slotOf.get(id)

  get missing(): string[] {
    return [...this.slotOf.keys()].filter(this.isMissing)
  }

  /** Whether a look-up goes to the index of our own. */
  get isHashed(): boolean {
    const spy = vi.spyOn(HashIndex.prototype, 'find')
    this.index.find('none of these')
    const { length } = spy.mock.calls
    spy.mockRestore()
    return length > 0
  }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the index of sessions', () => {
  it('finds every session, before and after it has become one of our own', () => {
    const filled = new Filled(0)
    const { index } = filled
    for (let at = 0; at < many; at += 1) {
      filled.add(`session-${at}`)
      if (filled.isMissing(`session-${at}`) || filled.isMissing(`session-${at >>> 1}`))
        expect.fail(`session ${at} or ${at >>> 1} was not found`)
    }

    expect(index.size).toBe(many)
    expect(filled.missing).toEqual([])
    expect(index.find(`session-${many}`)).toBe(noSlot)
    expect(index.find('')).toBe(noSlot)
  })

  it('is a Map up to 2¹⁷, then its own, and a Map again only when it has far fewer', () => {
    const filled = new Filled(maxInMap)
    const { index } = filled
    expect([filled.isHashed, index.size]).toEqual([false, maxInMap])
    filled.add('one more')
    expect([filled.isHashed, index.size]).toEqual([true, maxInMap + 1])
    expect(filled.missing).toEqual([])

    for (let at = maxInMap - 1; index.size > minInHashIndex; at -= 1) {
      filled.remove(`session-${at}`)
      if (!filled.isMissing(`session-${at}`) && index.find(`session-${at}`) !== noSlot)
        expect.fail(`session ${at} was found after its end`)
    }
    expect(filled.isHashed).toBe(true)
    expect(filled.missing).toEqual([])
    filled.remove('session-0')
    expect([filled.isHashed, index.size]).toEqual([false, minInHashIndex - 1])
    expect(filled.missing).toEqual([])
    expect(index.find('session-0')).toBe(noSlot)

    for (let at = 0; index.size <= maxInMap; at += 1) filled.add(`again-${at}`)
    expect([filled.isHashed, filled.missing]).toEqual([true, []])
  })

  it('does not go back and forth while it stays about as large', () => {
    const filled = new Filled(maxInMap + 1)
    const moves = vi.spyOn(HashIndex.prototype, 'forEach')
    for (let round = 0; round < 1_000; round += 1) {
      filled.remove(`session-${round}`)
      filled.add(`later-${round}`)
    }

    expect(moves).not.toHaveBeenCalled()
    expect([filled.isHashed, filled.missing]).toEqual([true, []])
  })

  it('copies the Map as others come, 512 with each, and empties it when all are', () => {
    const filled = new Filled(maxInMap)
    const { index } = filled
    for (let at = 1; at <= maxInMap / migrationBatch; at += 1) {
      filled.add(`later-${at}`)
      if (index.map.size !== maxInMap || index.size !== maxInMap + at)
        expect.fail(`${index.size} after ${at}`)
    }
    filled.add('one more')

    expect([index.map.size, index.size]).toEqual([0, maxInMap + maxInMap / migrationBatch + 1])
    expect(filled.missing).toEqual([])
  })

  it.each([2, many])('finds no longer what was taken out, of %i', (count) => {
    const filled = new Filled(count)
    const { index } = filled
    for (let at = 0; at < count; at += 2) filled.remove(`session-${at}`)
    expect(index.size).toBe(count / 2)
    expect(filled.missing).toEqual([])
    for (let at = 0; at < count; at += 2)
      if (index.find(`session-${at}`) !== noSlot) expect.fail(`session ${at} was found after its end`)
    for (let at = 1; at < count; at += 2) filled.remove(`session-${at}`)

    expect(index.size).toBe(0)
    expect([index.find('session-0'), index.find('session-1')]).toEqual([noSlot, noSlot])
  })

  it('starts again after all have gone', () => {
    const filled = new Filled(many)
    for (let at = 0; at < many; at += 1) filled.remove(`session-${at}`)
    for (const id of ['b', 'a', 'c']) filled.add(id)

    expect([filled.index.size, filled.isHashed, filled.missing]).toEqual([3, false, []])
  })

  it.each([
    ['few', 3],
    ['many', many],
  ])('finds nothing for what is no string, of %s', (_name, count) => {
    const { index } = new Filled(count)
    const others = [undefined, null, 0, 1, Number.NaN, true, {}, [], ['session-0'], Symbol('session-0'), 1n]
    const disguised = { length: 9, charCodeAt: () => 1, toString: () => 'session-0' }
    for (const other of [...others, disguised, new String('session-0'), () => 'session-0'])
      expect(index.find(other as string)).toBe(noSlot)
  })

  it.each([
    ['one unit', (at: number) => String.fromCharCode(at)],
    ['the same beginning', (at: number) => `${'x'.repeat(500)}${at}`],
    ['the same end', (at: number) => `${at}${'x'.repeat(500)}`],
    ['characters beyond the first plane', (at: number) => `😀${at}`],
  ])('finds ids of %s', (_name, idOf) => {
    const filled = new Filled(many)
    for (let at = 0; at < 2_000; at += 1) filled.add(idOf(at))

    expect(filled.index.size).toBe(many + 2_000)
    expect(filled.missing).toEqual([])
    for (let at = 0; at < 2_000; at += 1) filled.remove(idOf(at))
    expect(filled.index.size).toBe(many)
    expect(filled.index.find(idOf(7))).toBe(noSlot)
  })
})
