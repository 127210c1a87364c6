import type { Counters } from '../../core/stats.ts'
import type { FullClock } from '../../core/time/clock.ts'
import type { Sessions } from '../session/sessions.ts'
import { type FastPathBlockers, switchedOff } from './blockers.ts'
import { FastCreate } from './create.ts'
import { isFastPathEnabled } from './switch.ts'
import { FastTouch, needsSlowPath, type TouchPath } from './touch.ts'

/*
 * The fast path: a touch or a creation that has nothing to wait for, evict, load, arm or emit.
 *
 * It exists for speed alone. Whatever it does, the slow path (`operations.ts`) does as well, with the same
 * result; the contract and model suites run with and without it. Its invariants:
 *
 * A touch (`touch.ts`) is fast while the time is before `nextCheckAt` of the slot: until then the session
 * cannot have expired and need not be relinked in its queue. It writes `lastActive` and counts a hit, which
 * is all that the slow path would do. In every other case it changes nothing and returns `needsSlowPath`. It
 * never creates or ends.
 *
 * A creation (`create.ts`) is fast while no blocker is set (`blockers.ts`), no channel of creations has a
 * subscriber, the capacity has a place, and the session has no timeout of its own. These conditions are
 * checked before the factory is called and, but for the capacity, again after it: the factory may have added
 * a listener, closed the registry, or created sessions. If it created any, the slow path goes on with its
 * value. The insertion itself refuses if any session may have expired, since a creation removes some of those
 * first.
 *
 * It leaves the table, the counters and the order of activity exactly as the slow path would, and enqueues no
 * event, so it needs no step. What it may leave out is what a blocker stands for, and each blocker says why
 * it exists. A new component that takes part in creations sets a blocker of its own.
 */

/** The two parts of the fast path, or stand-ins that always take the slow path if it is switched off. */
export interface FastPath<T> {
  readonly touch: TouchPath<T>
  readonly create: FastCreate<T>
}

export function createFastPath<T>(
  table: Sessions<T>,
  clock: FullClock,
  counters: Counters,
  blockers: FastPathBlockers,
  maxSessions: number,
): FastPath<T> {
  const create = new FastCreate(table, clock, counters, blockers, maxSessions)
  if (isFastPathEnabled()) return { touch: new FastTouch(table.fastPath, clock, counters), create }
  blockers.block(switchedOff)
  return { touch: slowTouch, create }
}

/** Reports of no id that its session is absent, so that the slow path looks. */
const slowTouch: TouchPath<never> = {
  find: () => -1,
  touch: () => needsSlowPath,
}
