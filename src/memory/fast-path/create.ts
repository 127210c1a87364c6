import type { Counters } from '../../core/stats.ts'
import type { FullClock } from '../../core/time/clock.ts'
import { createChannels, createdChannel } from '../../core/watching/channels.ts'
import type { Sessions } from '../session/sessions.ts'
import { maxInMap } from '../table/layout.ts'
import { type FastPathAccess, noSlot } from '../table/session-table.ts'
import type { FastPathBlockers } from './blockers.ts'

/** Creation on the fast path; see `fast-path.ts`. */
export class FastCreate<T> {
  // Declared only, and not `#private`: V8 then knows their types from the first use.
  declare private readonly table: Sessions<T>
  declare private readonly clock: FullClock
  declare private readonly counters: Counters
  declare private readonly blockers: FastPathBlockers
  declare private readonly map: FastPathAccess['map']
  /**
   * With fewer sessions in the index's `Map` the capacity has a place, unless archives or calls wait for it.
   */
  declare private readonly limit: number

  constructor(
    table: Sessions<T>,
    clock: FullClock,
    counters: Counters,
    blockers: FastPathBlockers,
    maxSessions: number,
  ) {
    this.table = table
    this.clock = clock
    this.counters = counters
    this.blockers = blockers
    this.map = table.fastPath.map
    this.limit = limitOf(maxSessions)
  }

  /** Whether a creation may be tried on the fast path. Checked before the factory is called. */
  isAllowed(): boolean {
    return this.map.size < this.limit && !this.blockers.isBlocked() && !createChannels.hasSubscribers
  }

  /**
   * Creates the session, unless the factory has blocked the fast path meanwhile, a session may have expired,
   * or the creation has to be published. Returns whether it did; otherwise nothing has changed.
   */
  tryInsert(id: string, value: T, owner: string | undefined): boolean {
    if (this.blockers.isBlocked() || createdChannel.hasSubscribers) return false
    const slot = this.table.tryFastInsert(id, value, this.clock)
    if (slot === noSlot) return false
    if (owner !== undefined) this.table.owners.set(slot, owner)
    this.counters.created += 1
    return true
  }
}

/** Returns the number of sessions in the `Map` below which the capacity need not be checked. */
function limitOf(maxSessions: number): number {
  if (maxSessions === Number.POSITIVE_INFINITY) return maxInMap + 1
  // Above that, sessions are in the hash index as well, so a larger capacity is checked each time.
  return maxSessions <= maxInMap ? maxSessions : 0
}
