import { describe, expect, it } from 'vitest'
import { AgeQueue } from '../../../src/memory/table/expiry/age-queue.ts'
import { noSlot, pageBits } from '../../../src/memory/table/layout.ts'
import { asSlot } from '../../../src/memory/table/slots/as-slot.ts'
import { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'

describe('a list by age', () => {
  // The second and the third are in pages of their own.
  const [a, b, c] = [asSlot(7), asSlot(1 << pageBits), asSlot((5 << pageBits) + 1)] as const

  it('gives the oldest first, and a released one that is over before it', () => {
    const list = new AgeQueue(new SlotStore(), 1_000)
    expect(list.oldest).toBe(noSlot)
    list.append(a)
    list.append(b)
    expect(list.oldest).toBe(a)
    list.prepend(c)
    expect(list.oldest).toBe(c)
    list.remove(c)
    list.remove(a)

    expect(list.oldest).toBe(b)
    expect([list.has(a), list.has(b), list.has(c)]).toEqual([false, true, false])
  })

  it('leaves all as it is when one is removed that is not in it', () => {
    const list = new AgeQueue(new SlotStore(), 1_000)
    for (const slot of [a, b]) list.append(slot)
    list.remove(c)
    list.remove(a)
    list.remove(a)

    expect(list.oldest).toBe(b)
    list.remove(b)
    expect(list.oldest).toBe(noSlot)
  })

  it('takes one again that has left, as the youngest', () => {
    const list = new AgeQueue(new SlotStore(), 1_000)
    for (const slot of [a, b, c]) list.append(slot)
    list.remove(a)
    list.append(a)
    const precision = []
    for (let slot = list.oldest; slot !== noSlot; slot = list.oldest) {
      precision.push(slot)
      list.remove(slot)
    }

    expect(precision).toEqual([b, c, a])
  })

  it('keeps those of a large page apart after a small one was dropped', () => {
    const list = new AgeQueue(new SlotStore(), 1_000)
    const large = Array.from({ length: 3 }, (_, at) => asSlot(((6 << pageBits) | 8_000) + at))
    list.append(b)
    list.remove(b)
    for (const slot of large) list.append(slot)

    expect(large.map((slot) => list.has(slot))).toEqual([true, true, true])
    expect(list.oldest).toBe(large[0])
    for (const slot of large) {
      expect(list.oldest).toBe(slot)
      list.remove(slot)
    }
    expect(list.oldest).toBe(noSlot)
  })
})
