// A bit each. Constants in a file without imports, so that the build puts them where they are used.

/** Somebody is told of each creation: a listener or a log. */
export const creationIsTold = 1
/** Something waits to be told, or is being told. */
export const newsWaits = 2
/** The sweep's timer is not set; for good, where nothing ends by time. */
export const timerIsOff = 4
/** Somebody waits for an id to come to life, or for the room that it takes. */
export const idIsAwaited = 8
/** A creation may be forbidden: there is a hook that loads, or the registry closes. */
export const creationMayBeForbidden = 16
/** Sessions are being archived: nobody may create one of their ids, and memory has them still. */
export const idsAreArchived = 32

/**
 * What a creation has to think of beyond the session itself. Mostly there is nothing of it, and one look says so.
 *
 * Each part of a registry that has such a concern raises it here, instead of being asked at each creation.
 */
export class Concerns {
  #bits = 0

  /** Whether there is any. */
  isAny(): boolean {
    return this.#bits !== 0
  }

  has(concern: number): boolean {
    return (this.#bits & concern) !== 0
  }

  raise(concern: number): void {
    this.#bits |= concern
  }

  settle(concern: number): void {
    this.#bits &= ~concern
  }
}
