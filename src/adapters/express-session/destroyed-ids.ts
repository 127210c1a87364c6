import { refOf } from '../../core/ids/id-ref.ts'
import { tombstonesOf } from '../../core/session-lifetime.ts'

/** The most ids that are kept for one registry: the last ones. */
const maxIds = 10_000

/** By registry, since several stores may have one. */
const idsOf = new WeakMap<object, DestroyedIds>()

/** Returns the destroyed ids of a registry. */
export function destroyedIdsOf(source: object): DestroyedIds {
  const existing = idsOf.get(source)
  if (existing !== undefined) return existing
  const ids = new DestroyedIds(source)
  idsOf.set(source, ids)
  return ids
}

/**
 * The ids that were destroyed in this process, as hashes, for `tombstoneMs` of the registry.
 *
 * The registry tells of a session as deleted only if it was in memory then: not of one that had been evicted,
 * or that was in the store alone.
 */
export class DestroyedIds {
  /** Until when they are kept, in monotonic milliseconds of the registry; the oldest first. */
  readonly #until = new Map<string, number>()
  readonly #tombstones: ReturnType<typeof tombstonesOf>

  constructor(source: object) {
    this.#tombstones = tombstonesOf(source)
  }

  add(id: string): void {
    if (this.#tombstones === undefined) return
    const { tombstoneMs, clock } = this.#tombstones
    const now = clock.now()
    const ref = refOf(id)
    this.#until.delete(ref)
    this.#until.set(ref, now + tombstoneMs)
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size <= maxIds) break
      this.#until.delete(oldest)
    }
  }

  has(id: string): boolean {
    if (this.#tombstones === undefined || this.#until.size === 0) return false
    const until = this.#until.get(refOf(id))
    return until !== undefined && until > this.#tombstones.clock.now()
  }
}
