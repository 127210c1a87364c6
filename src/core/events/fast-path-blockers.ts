// A bit each. Constants in a file without imports, so that the build puts them where they are used.

/** Somebody is told of each creation: a listener or a log. */
export const creationObserved = 1
/** Something waits to be told, or is being told. */
export const eventsPending = 2
/** The sweep's timer is not set; for good, where nothing ends by time. */
export const timerUnarmed = 4
/** Somebody waits for an id to come to life, or for the room that it takes. */
export const openPending = 8
/** A creation may be forbidden: there is a hook that loads, or the registry closes. */
export const creationRestricted = 16
/** Sessions are being archived: nobody may create one of their ids, and memory has them still. */
export const archivesInFlight = 32

/**
 * What a creation has to think of beyond the session itself. Mostly there is nothing of it, and one look says so.
 *
 * Each part of a registry that has such a concern raises it here, instead of being asked at each creation.
 */
export class FastPathBlockers {
  #bits = 0

  /** Whether there is any. */
  isBlocked(): boolean {
    return this.#bits !== 0
  }

  has(blocker: number): boolean {
    return (this.#bits & blocker) !== 0
  }

  block(blocker: number): void {
    this.#bits |= blocker
  }

  unblock(blocker: number): void {
    this.#bits &= ~blocker
  }
}
