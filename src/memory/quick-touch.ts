import { type FullClock, nowOf } from '../core/clock.ts'
import type { Counters } from '../core/stats.ts'
import type { SessionIndex } from './table/session-index.ts'
import type { SessionTable } from './table/session-table.ts'
import {
  atId,
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

  /**
   * The slot of an id, whatever its session is; `noSlot` also of what is no id. It is negative where only the hash of the
   * id was looked at.
   */
  find(id: string): number {
    const slot = this.few.get(id)
    // A difference, as the negative of zero is no small integer.
    return slot === undefined ? 0 - this.index.guessInMany(id) : slot
  }

  /** The value of a session, touched, and counted as found; {@link notQuick} where a closer look is needed. */
  use(slot: number, id: string): T | typeof notQuick {
    if (slot < 0) return this.#useGuessed(-slot, id)
    const now = nowOf(this.clock)
    const { times, refs } = this.pages[slot >>> pageBits] as SlotPage
    const at = (slot & placeMask) * timesPerSlot
    if (!(now < (times[at + atQuietUntil] as number))) return notQuick
    times[at + atLastActive] = now
    this.counters.hits += 1
    return refs[(slot & placeMask) * refsPerSlot + atValue] as T
  }

  /**
   * As {@link use}, if the slot is that of the id.
   *
   * Its id and its times are in two places, of so many that each is a wait for memory. A look at the clock waits for all
   * that was asked of memory before, so it comes first: then the processor waits for both at once, and for what the next
   * request needs.
   */
  #useGuessed(slot: number, id: string): T | typeof notQuick {
    const now = nowOf(this.clock)
    const { times, refs } = this.pages[slot >>> pageBits] as SlotPage
    const at = (slot & placeMask) * timesPerSlot
    const atRefs = (slot & placeMask) * refsPerSlot
    if (!(now < (times[at + atQuietUntil] as number)) || refs[atRefs + atId] !== id) return notQuick
    times[at + atLastActive] = now
    this.counters.hits += 1
    return refs[atRefs + atValue] as T
  }
}
