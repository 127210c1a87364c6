import { type FullClock, nowOf } from '../core/clock.ts'
import type { Counters } from '../core/stats.ts'
import type { SessionIndex } from './table/session-index.ts'
import type { SessionTable } from './table/session-table.ts'
import {
  atLastActive,
  atQuietUntil,
  atValue,
  pageBits,
  placeMask,
  refsPerSlot,
  type SlotPage,
  timesPerSlot,
} from './table/slot-page.ts'

/** What {@link QuickTouch} gives where it has done nothing; no value is this. */
export const notQuick = Symbol('not quick')

/**
 * The hot path: the use of a live session that has nothing to do but to write its time.
 *
 * It does what `Access.active` does in nearly all cases, and goes straight to the memory: the way through the parts of a
 * registry costs more than all that is done at its end.
 */
export class QuickTouch<T> {
  // Declared only, and not `#private`: V8 then knows what they are from the first look.
  declare private readonly few: ReadonlyMap<string, number>
  declare private readonly index: SessionIndex<T>
  declare private readonly pages: readonly (SlotPage | undefined)[]
  declare private readonly clock: FullClock
  declare private readonly counters: Counters

  constructor(table: SessionTable<T>, clock: FullClock, counters: Counters) {
    this.few = table.byId.few
    this.index = table.byId
    this.pages = table.slots.pages
    this.clock = clock
    this.counters = counters
  }

  /** The slot of an id, whatever its session is; `noSlot` also of what is no id. */
  find(id: string): number {
    const slot = this.few.get(id)
    return slot === undefined ? this.index.findInMany(id) : slot
  }

  /** The value of a session, touched, and counted as found; {@link notQuick} where a closer look is needed. */
  use(slot: number): T | typeof notQuick {
    const now = nowOf(this.clock)
    const { times, refs } = this.pages[slot >>> pageBits] as SlotPage
    const at = (slot & placeMask) * timesPerSlot
    if (!(now < (times[at + atQuietUntil] as number))) return notQuick
    times[at + atLastActive] = now
    this.counters.hits += 1
    return refs[(slot & placeMask) * refsPerSlot + atValue] as T
  }
}
