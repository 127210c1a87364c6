import { describe, expect, it } from 'vitest'
import { noSlot, type Slot } from '../../../src/memory/table/layout.ts'
import { SlotList } from '../../../src/memory/table/slots/slot-list.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'
import { newSlot } from './new-slot.ts'

const slots = new SlotStore()
const slotOf = (id: string) => newSlot(slots, id, 0)
const idOf = (slot: Slot) => (slot === noSlot ? undefined : slots.idOf(slot))

function listOf(ids: string) {
  const list = new SlotList(slots)
  const members = Array.from(ids, slotOf)
  for (const slot of members) list.append(slot)
  return { list, members }
}

function idsOf(list: SlotList): string {
  const members: Slot[] = []
  list.appendTo(members)
  return members.map(idOf).join('')
}

function backwards(list: SlotList): string {
  const ids = []
  for (let slot = list.last; slot !== noSlot && slot !== list.sentinel; slot = slots.prev(slot))
    ids.push(idOf(slot))
  return ids.join('')
}

describe('a list of slots', () => {
  it('is empty at first', () => {
    const { list } = listOf('')

    expect([list.first, list.last]).toEqual([noSlot, noSlot])
    expect(idsOf(list)).toBe('')
  })

  it('keeps the order in which slots were appended', () => {
    const { list } = listOf('abc')

    expect(idsOf(list)).toBe('abc')
    expect([idOf(list.first), idOf(list.last)]).toEqual(['a', 'c'])
  })

  it.each([
    ['a', 'bc'],
    ['b', 'ac'],
    ['c', 'ab'],
  ])('lets %s go, which may then come into another list', (id, rest) => {
    const { list, members } = listOf('abc')
    const { list: other } = listOf('xy')
    const slot = members.find((candidate) => idOf(candidate) === id) ?? noSlot
    slots.unlink(slot)
    expect(idsOf(list)).toBe(rest)
    other.append(slot)

    expect([idsOf(other), backwards(other)]).toEqual([`xy${id}`, `${id}yx`])
    expect([idsOf(list), backwards(list)]).toEqual([rest, Array.from(rest).reverse().join('')])
  })

  it('is empty again after its last slot has gone', () => {
    const { list, members } = listOf('a')
    slots.unlink(members[0] ?? noSlot)

    expect([list.first, list.last]).toEqual([noSlot, noSlot])
  })

  it('gives back what it takes itself', () => {
    const store = new SlotStore()
    const slot = store.allocate()
    store.free(slot)
    const list = new SlotList(store)
    expect(store.allocate()).not.toBe(slot)
    list.dispose()

    expect(store.allocate()).toBe(slot)
  })
})
