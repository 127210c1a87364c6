// A bit for each reason. Constants in a file without imports, so that the build puts them where they are
// used.

/**
 * A listener or the log observes creations: `created` has to be enqueued. A subscriber of a channel sets no
 * flag, since it announces itself to no one; see `create.ts`.
 */
export const creationObserved = 1
/**
 * Events are pending, or being emitted: a listener for `created` may be added before it is this creation's
 * turn.
 */
export const eventsPending = 2
/**
 * The sweep's timer is not armed, and a session that can expire has to arm it. Stays set where no session
 * expires.
 */
export const timerUnarmed = 4
/** A call waits for an id to be opened: it must be served by the session that is created. */
export const openPending = 8
/** A creation may be refused: there is a `load` hook, or the registry is closing. */
export const creationRestricted = 16
/** Sessions are being archived: their ids may not be created, and they still count towards the capacity. */
export const archivesInFlight = 32
/** Values are being disposed of: their ids may not be created, and they still count towards the capacity. */
export const disposalsInFlight = 64
/** Values are being made: they count towards the capacity. */
export const creationsInFlight = 128
/** Values are disposed of: a creation reserves its place before the factory is called. */
export const placesReserved = 256
/** The fast path is switched off, for tests. */
export const switchedOff = 512

/**
 * The flags that keep creations off the fast path.
 *
 * A component that must take part in creations sets its flag while it has to, instead of being called at each
 * creation.
 */
export class FastPathBlockers {
  #bits = 0

  /** Whether any flag is set. */
  isBlocked(): boolean {
    return this.#bits !== 0
  }

  /** Whether one of the given flags is set. */
  has(blockers: number): boolean {
    return (this.#bits & blockers) !== 0
  }

  block(blocker: number): void {
    this.#bits |= blocker
  }

  unblock(blocker: number): void {
    this.#bits &= ~blocker
  }
}
