import type { FullClock } from '../core/clock.ts'
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
  readonly #few: ReadonlyMap<string, number>
  readonly #index: SessionIndex<T>
  readonly #pages: readonly (SlotPage | undefined)[]
  readonly #clock: FullClock

  constructor(table: SessionTable<T>, clock: FullClock) {
    this.#few = table.byId.few
    this.#index = table.byId
    this.#pages = table.slots.pages
    this.#clock = clock
  }

  /** The slot of an id, whatever its session is; `noSlot` also of what is no id. */
  find(id: string): number {
    const slot = this.#few.get(id)
    return slot === undefined ? this.#index.findInMany(id) : slot
  }

  /** The value of a session, touched; {@link notQuick} where a closer look is needed. */
  use(slot: number): T | typeof notQuick {
    const now = this.#clock.now()
    const { times, refs } = this.#pages[slot >>> pageBits] as SlotPage
    const at = (slot & placeMask) * timesPerSlot
    if (!(now < (times[at + atQuietUntil] as number))) return notQuick
    times[at + atLastActive] = now
    return refs[(slot & placeMask) * refsPerSlot + atValue] as T
  }
}
