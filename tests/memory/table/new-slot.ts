import { noSlot, type Slot } from '../../../src/memory/table/layout.ts'
import { InsertTemplate } from '../../../src/memory/table/slots/insert-template.ts'
import type { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'

/** A slot in use that is in no list. */
export function newSlot(
  store: SlotStore,
  id: string,
  value: unknown,
  { now = 0, queueNumber = 0 } = {},
): Slot {
  const template = new InsertTemplate(queueNumber, noSlot, store.pages)
  template.now = now
  const slot = store.allocateAndLink(id, value, template)
  store.unlink(slot)
  return slot
}
