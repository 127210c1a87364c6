import { noSlot, type Slot } from '../../../src/memory/table/layout.ts'
import type { SessionTable } from '../../../src/memory/table/session-table.ts'

/** Takes out what is over, and says which; a walk may be cut short. */
export function sweep<T>(
  table: SessionTable<T, object>,
  now: number,
  most = Number.POSITIVE_INFINITY,
): string[] {
  const ids: string[] = []
  while (ids.length < most) {
    const slot = table.nextExpired(now)
    if (slot === noSlot) break
    if (slot === 'paused') continue
    ids.push(table.idOf(slot))
    table.remove(slot)
  }
  return ids
}

/** The slot of a session that is in the table. */
export function slotOf<T>(table: SessionTable<T, object>, id: string): Slot {
  const slot = table.find(id)
  if (slot === noSlot) throw new Error(`there is no session '${id}'`)
  return slot
}

/** The ids of all sessions, in the order in which the table gives them. */
export const idsOf = <T>(table: SessionTable<T, object>) => table.snapshot().map((slot) => table.idOf(slot))
