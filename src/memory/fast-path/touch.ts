import type { Counters } from '../../core/stats.ts'
import { type FullClock, readClock } from '../../core/time/clock.ts'
import {
  atId,
  atLastActive,
  atNextCheck,
  atValue,
  offsetMask,
  pageBits,
  refsPerSlot,
  timesPerSlot,
} from '../table/layout.ts'
import type { FastPathAccess } from '../table/session-table.ts'

type Page = NonNullable<FastPathAccess['pages'][number]>

/** What {@link FastTouch} gives where it has done nothing; no value is this. */
export const needsSlowPath = Symbol('needs the slow path')

/**
 * The hot path: the use of a live session that has nothing to do but to write its time.
 *
 * It does what `Operations.touch` does in nearly all cases, and goes straight to the memory: the way through the parts of a
 * registry costs more than all that is done at its end.
 */
export class FastTouch<T> {
  // Declared only, and not `#private`: V8 then knows what they are from the first look.
  declare private readonly map: FastPathAccess['map']
  declare private readonly index: FastPathAccess['index']
  declare private readonly pages: FastPathAccess['pages']
  declare private readonly clock: FullClock
  declare private readonly counters: Counters

  constructor(access: FastPathAccess, clock: FullClock, counters: Counters) {
    this.map = access.map
    this.index = access.index
    this.pages = access.pages
    this.clock = clock
    this.counters = counters
  }

  /**
   * The slot of an id, whatever its session is; `noSlot` also of what is no id. It is negative where only the hash of the
   * id was looked at.
   */
  find(id: string): number {
    const slot = this.map.get(id)
    // A difference, as the negative of zero is no small integer.
    return slot === undefined ? 0 - this.index.candidateInHashIndex(id) : slot
  }

  /** The value of a session, touched, and counted as found; {@link needsSlowPath} where a closer look is needed. */
  touch(slot: number, id: string): T | typeof needsSlowPath {
    if (slot < 0) return this.#touchUnverified(-slot, id)
    const now = readClock(this.clock)
    const { times, refs } = this.pages[slot >>> pageBits] as Page
    const at = (slot & offsetMask) * timesPerSlot
    if (!(now < (times[at + atNextCheck] as number))) return needsSlowPath
    times[at + atLastActive] = now
    this.counters.hits += 1
    return refs[(slot & offsetMask) * refsPerSlot + atValue] as T
  }

  /**
   * As {@link touch}, if the slot is that of the id.
   *
   * Its id and its times are in two places, of so many that each is a wait for memory. A look at the clock waits for all
   * that was asked of memory before, so it comes first: then the processor waits for both at once, and for what the next
   * request needs.
   */
  #touchUnverified(slot: number, id: string): T | typeof needsSlowPath {
    const now = readClock(this.clock)
    const { times, refs } = this.pages[slot >>> pageBits] as Page
    const at = (slot & offsetMask) * timesPerSlot
    const atRefs = (slot & offsetMask) * refsPerSlot
    if (!(now < (times[at + atNextCheck] as number)) || refs[atRefs + atId] !== id) return needsSlowPath
    times[at + atLastActive] = now
    this.counters.hits += 1
    return refs[atRefs + atValue] as T
  }
}
