import { describe, expect, it } from 'vitest'
import { noSlot, offsetMask, pageBits, refsPerSlot, type Slot } from '../../../src/memory/table/layout.ts'
import { capacityOf, type SlotPage } from '../../../src/memory/table/slots/slot-page.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'
import { Random } from '../../support/random.ts'
import { newSlot } from './new-slot.ts'

/** A page is known by its memory: a slot says in which one it is. */
const pageOf = (store: SlotStore, slot: Slot) => store.pages[slot >>> pageBits] as SlotPage

const refsOf = (store: SlotStore, slot: Slot) => [
  ...pageOf(store, slot).refs.slice(
    (slot & offsetMask) * refsPerSlot,
    ((slot & offsetMask) + 1) * refsPerSlot,
  ),
  pageOf(store, slot).records?.[slot & offsetMask],
]

const bear = (store: SlotStore, value: number) => newSlot(store, `id ${value}`, value)

const pagesOf = (store: SlotStore) => store.pages.filter((page) => page !== undefined)

/** How many slots so many pages have. */
const slotsIn = (pages: number) =>
  Array.from({ length: pages }, (_, index) => capacityOf(index)).reduce((sum, capacity) => sum + capacity, 0)

/** Fills so many pages to the last slot, and gives their slots, page by page. */
function filled(count: number) {
  const store = new SlotStore()
  const slots: Slot[][] = Array.from({ length: count }, () => [])
  // The first page has a slot that stands for none.
  for (let value = 1; value < slotsIn(count); value += 1) {
    const slot = bear(store, value)
    slots[slot >>> pageBits]?.push(slot)
  }
  return { store, slots }
}

function shuffled<E>(elements: readonly E[], random: Random): E[] {
  const rest = [...elements]
  for (let at = rest.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1)
    const moved = rest[at] as E
    rest[at] = rest[other] as E
    rest[other] = moved
  }
  return rest
}

describe('a slot', () => {
  it('is never the one that stands for none', () => {
    const store = new SlotStore()
    const slots = Array.from({ length: 100 }, (_, value) => bear(store, value))

    expect(slots).not.toContain(noSlot)
    expect(new Set(slots).size).toBe(100)
  })

  it('is used again after it was freed, and tells its sessions apart', () => {
    const store = new SlotStore()
    const [first, second] = [bear(store, 1), bear(store, 2)]
    const life = store.generation(first)
    store.setHeld(first, true)
    store.free(first)
    expect(store.generation(first)).not.toBe(life)
    const again = bear(store, 3)

    expect(again).toBe(first)
    expect(store.generation(again)).not.toBe(life)
    expect([store.idOf(again), store.valueOf(again), store.isHeld(again)]).toEqual(['id 3', 3, false])
    expect(store.valueOf(second)).toBe(2)
  })

  it('keeps nothing of its session in memory after it was freed', () => {
    const store = new SlotStore()
    const slot = bear(store, 1)
    const neighbour = bear(store, 2)
    const record = { of: 'id 1' }
    store.setRecord(slot, record)
    expect(refsOf(store, slot)).toEqual(['id 1', 1, record])
    store.free(slot)

    expect(refsOf(store, slot)).toEqual([undefined, undefined, undefined])
    expect(refsOf(store, neighbour).slice(0, 2)).toEqual(['id 2', 2])
  })

  it('never has a life again, whatever became of its page', () => {
    const { store, slots } = filled(4)
    const inTwo = slots.slice(1, 3).flat()
    const lives = new Map(inTwo.map((slot) => [slot, new Set([store.generation(slot)])]))
    let dropped = 0
    for (let round = 0; round < 5; round += 1) {
      for (const slot of inTwo) store.free(slot)
      if (store.pages[1] === undefined || store.pages[2] === undefined) dropped += 1
      expect(inTwo.filter((slot) => lives.get(slot)?.has(store.generation(slot)))).toEqual([])
      const again = inTwo.map((value) => bear(store, value))
      expect(new Set(again)).toEqual(new Set(inTwo))
      for (const slot of inTwo) lives.get(slot)?.add(store.generation(slot))
    }

    expect(dropped).toBeGreaterThan(0)
    expect(inTwo.filter((slot) => lives.get(slot)?.size !== 6)).toEqual([])
  })

  it('keeps what it has apart from all others, in pages of all sizes', () => {
    const store = new SlotStore()
    const records = new Map<number, object>()
    const slots: Slot[] = []
    const isWrong = (slot: Slot, value: number) =>
      store.idOf(slot) !== `id ${value}` ||
      store.valueOf(slot) !== value ||
      store.record(slot) !== records.get(slot) ||
      store.created(slot) !== value + 0.25 ||
      store.lastActive(slot) !== value + 0.5 ||
      store.linkedTick(slot) !== -value ||
      store.queueNumber(slot) !== value % 7 ||
      store.isHeld(slot) !== (value % 3 === 0) ||
      store.hash(slot) !== ~value ||
      store.next(slot) !== (slots[value + 1] ?? slots[0]) ||
      store.prev(slot) !== (slots[value - 1] ?? slots[slots.length - 1])
    const pages = 9
    for (let value = 0; value < slotsIn(pages); value += 1) {
      const slot = newSlot(store, `id ${value}`, value, { now: value + 0.25, queueNumber: value % 7 })
      store.setLastActive(slot, value + 0.5)
      store.setLinkedTick(slot, -value)
      store.setHeld(slot, value % 3 === 0)
      store.setHash(slot, ~value)
      if (value % 2 === 0) {
        const record = { of: value }
        records.set(slot, record)
        store.setRecord(slot, record)
      }
      store.link(slots.at(-1) ?? slot, slot)
      slots.push(slot)
      store.link(slot, slots[0] ?? slot)
    }

    const capacities = store.pages.map((page) => page?.capacity)
    expect(capacities).toEqual([512, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 16_384, 16_384, 16_384])
    expect(slots.filter(isWrong)).toEqual([])
  })
})

describe('the pages', () => {
  it('are dropped when all their slots are free, but for one', () => {
    const { store, slots } = filled(5)
    const kept = store.pages[1]
    for (const slot of slots[1] ?? []) store.free(slot)
    expect(store.pages[1]).toBe(kept)
    for (const slot of slots[2] ?? []) store.free(slot)
    for (const slot of slots[3]?.slice(1) ?? []) store.free(slot)

    expect([store.pages[1], store.pages[2]]).toEqual([kept, undefined])
    expect(pagesOf(store)).toHaveLength(4)
    store.free(slots[3]?.[0] ?? noSlot)
    expect(pagesOf(store)).toHaveLength(3)
  })

  it('are few when all slots are free', () => {
    const { store, slots } = filled(6)
    for (const slot of shuffled(slots.flat(), new Random(1))) store.free(slot)

    // The first one, the one that is asked for slots at present, and the one that is kept.
    expect(pagesOf(store).length).toBeLessThanOrEqual(3)
  })

  it('stay the same where a session comes and goes at the end of one', () => {
    const { store } = filled(2)
    const slot = bear(store, 1)
    const [, , page] = store.pages
    for (let round = 0; round < 100; round += 1) {
      store.free(slot)
      expect(bear(store, round)).toBe(slot)
    }

    expect(store.pages).toHaveLength(3)
    expect(store.pages[2]).toBe(page)
  })

  it('have a dropped one followed by another with its numbers', () => {
    const { store, slots } = filled(4)
    for (const slot of slots.slice(1, 3).flat()) store.free(slot)
    expect(store.pages[2]).toBeUndefined()
    const again = Array.from({ length: slotsIn(3) - slotsIn(1) }, (_, value) => bear(store, value))

    expect(store.pages).toHaveLength(4)
    expect(again.toSorted((a, b) => a - b)).toEqual(slots.slice(1, 3).flat())
  })

  it.each([1, 2, 3])('are enough for as many sessions as before, however they went (seed %i)', (seed) => {
    const random = new Random(seed)
    const { store, slots } = filled(3)
    const inUse = new Map(slots.flat().map((slot) => [slot, store.valueOf(slot)]))
    const most = inUse.size
    for (const share of [1, 0.9, 0.5, 1]) {
      for (const slot of shuffled([...inUse.keys()], random).slice(0, Math.floor(most * share))) {
        store.free(slot)
        inUse.delete(slot)
      }
      for (let value = 0; inUse.size < most; value += 1) {
        const slot = bear(store, value)
        if (slot === noSlot || inUse.has(slot)) expect.fail(`slot ${slot} was given twice`)
        inUse.set(slot, value)
      }
      expect(store.pages).toHaveLength(3)
      expect([...inUse].filter(([slot, value]) => store.valueOf(slot) !== value)).toEqual([])
    }
  })

  it.each([4, 5])('never give a slot twice while sessions come and go in waves (seed %i)', (seed) => {
    const random = new Random(seed)
    const store = new SlotStore()
    const inUse: Slot[] = []
    const values: number[] = []
    let most = 0
    for (let wave = 0; wave < 12; wave += 1) {
      const aim = random.below(slotsIn(wave % 2 === 0 ? 10 : 7))
      while (inUse.length !== aim) {
        if (random.chance(inUse.length < aim ? 0.8 : 0.2)) {
          const slot = bear(store, inUse.length + wave)
          if (values[slot] !== undefined) expect.fail(`slot ${slot} was given twice`)
          values[slot] = inUse.length + wave
          inUse.push(slot)
        } else if (inUse.length > 0) {
          const at = random.below(inUse.length)
          const slot = inUse[at] as Slot
          if (store.valueOf(slot) !== values[slot]) expect.fail(`slot ${slot} has another value`)
          inUse[at] = inUse.at(-1) as Slot
          inUse.pop()
          delete values[slot]
          store.free(slot)
        }
        most = Math.max(most, inUse.length)
      }
    }

    // One slot for the one that stands for none, and one page that may be kept.
    expect(slotsIn(store.pages.length - 2)).toBeLessThanOrEqual(most + 1)
  })
})
