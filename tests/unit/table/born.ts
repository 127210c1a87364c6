import { Arrival } from '../../../src/memory/table/arrival.ts'
import { noSlot } from '../../../src/memory/table/slot-page.ts'
import type { SlotStore } from '../../../src/memory/table/slot-store.ts'

/** A slot in use that is in no list. */
export function born<T>(store: SlotStore<T>, id: string, value: T, { now = 0, idleClass = 0 } = {}): number {
  const arrival = new Arrival(idleClass, noSlot, store.pages)
  arrival.now = now
  const slot = store.bear(id, value, arrival)
  store.unlink(slot)
  return slot
}
