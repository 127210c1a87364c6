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

/** The result of {@link TouchPath.touch} where it has done nothing. No value of a session is this. */
export const needsSlowPath = Symbol('needs the slow path')

/** A touch in two parts, so that a creation need not look up its id again. */
export interface TouchPath<T> {
  /**
   * Returns the slot of an id, or `noSlot`, also for what is no id. Negative where only the hash of the id
   * was compared.
   */
  find(id: string): number
  /**
   * Touches the session and counts a hit. Returns its value, or {@link needsSlowPath} where it has done
   * nothing.
   */
  touch(slot: number, id: string): T | typeof needsSlowPath
}

/**
 * Touch on the fast path; see `fast-path.ts`.
 *
 * It reads and writes the pages of the table itself: the calls between the components of a registry cost more
 * than what is done at their end.
 */
export class FastTouch<T> implements TouchPath<T> {
  // Declared only, and not `#private`: V8 then knows their types from the first use.
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

  find(id: string): number {
    const slot = this.map.get(id)
    // A difference, since the negative of zero is no small integer.
    return slot === undefined ? 0 - this.index.candidateInHashIndex(id) : slot
  }

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
   * {@link touch}, if the slot holds the id.
   *
   * The id and the times lie in two places, and with many sessions each is a wait for memory. Reading the
   * clock waits for all earlier reads, so it comes first: the processor then waits for both places at once.
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
