import { noSlot } from '../../../src/memory/table/slot-page.ts'
import type { SlotStore } from '../../../src/memory/table/slot-store.ts'

/** A slot in use that is in no list. */
export function born<T>(store: SlotStore<T>, id: string, value: T, { now = 0, idleClass = 0 } = {}): number {
  const list = { tick: 0, quietUntil: 0, end: noSlot, isFirst: false }
  const slot = store.bear(id, value, now, { idleClass, maxAgeMs: Number.POSITIVE_INFINITY, ...list })
  store.unlink(slot)
  return slot
}
