import { InsertTemplate } from '../../../src/memory/table/expiry/insert-template.ts'
import { noSlot } from '../../../src/memory/table/slots/slot-page.ts'
import type { SlotStore } from '../../../src/memory/table/slots/slot-store.ts'

/** A slot in use that is in no list. */
export function newSlot<T>(
  store: SlotStore<T>,
  id: string,
  value: T,
  { now = 0, queueNumber = 0 } = {},
): number {
  const template = new InsertTemplate(queueNumber, noSlot, store.pages)
  template.now = now
  const slot = store.allocateAndLink(id, value, template)
  store.unlink(slot)
  return slot
}
