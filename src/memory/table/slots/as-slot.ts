import type { Slot } from '../layout.ts'

/** Returns a number as the slot that it was stored as. The build replaces a call by its argument. */
export function asSlot(stored: number | undefined): Slot {
  return stored as Slot
}
