import {
  isSessionRegistryError,
  type Session,
  type SessionRegistry,
  type SessionRegistryOptions,
} from 'session-registry'
import type { Random } from '../../../support/random.ts'
import type { Resource } from './resources.ts'

const owners = ['ada', 'bob'] as const

/** The owners of a program's sessions, and what went wrong with them. */
export class OwnedSessions {
  readonly #random: Random
  readonly #problems: string[]
  readonly #maxPerOwner: number
  /** How often a call names an owner. Without owners the fast path is used as well. */
  readonly #share: number
  /** The sessions that were created and have not ended, by owner. */
  readonly #present = new Map<string, Set<Session<Resource>>>(owners.map((owner) => [owner, new Set()]))

  constructor(random: Random, problems: string[]) {
    this.#random = random
    this.#problems = problems
    this.#maxPerOwner = random.pick([1, 2, Number.POSITIVE_INFINITY])
    this.#share = random.pick([0, 0.5, 0.9])
  }

  get options(): SessionRegistryOptions<Resource> {
    return { maxPerOwner: this.#maxPerOwner, whenOwnerFull: this.#random.pick(['evict', 'evict', 'reject']) }
  }

  /** The option of a call: an owner, or none. */
  option(): { readonly owner?: string } {
    return this.#random.chance(this.#share) ? { owner: this.any() } : {}
  }

  any(): string {
    return this.#random.pick(owners)
  }

  /** A call that named an owner was given a session. */
  check(session: Session<Resource>, { owner }: { readonly owner?: string }): void {
    if (owner !== undefined && session.owner !== owner) this.#problems.push("another owner's session")
  }

  onCreated(session: Session<Resource>): void {
    const present = this.#presentOf(session)
    present?.add(session)
    if (present !== undefined && present.size > this.#maxPerOwner)
      this.#problems.push(`${present.size} sessions of one owner, of at most ${this.#maxPerOwner}`)
  }

  onEnded(session: Session<Resource>): void {
    this.#presentOf(session)?.delete(session)
  }

  /** Compares the sessions of each owner with all live ones. */
  compare(registry: SessionRegistry<Resource>): void {
    for (const owner of owners) {
      const listed = [...registry.ownedBy(owner)].map(({ id }) => id).sort()
      const live = [...registry.sessions()].filter((session) => session.owner === owner)
      const ids = live.map(({ id }) => id).sort()
      if (listed.join() !== ids.join()) this.#problems.push(`owned: ${listed}, live: ${ids}`)
    }
  }

  /**
   * Opens a session for each owner that is below its limit, at a quiet moment: a place that was not released
   * would refuse it. `open` returns the error.
   */
  async checkRoom(open: (id: string, owner: string) => Promise<unknown>): Promise<void> {
    for (const owner of owners) {
      const { size } = this.#present.get(owner) as Set<unknown>
      if (size >= this.#maxPerOwner) continue
      const error = await open(`of ${owner}`, owner)
      if (isSessionRegistryError(error, 'ERR_SESSION_OWNER_FULL'))
        this.#problems.push(`${size} sessions of an owner, and no room for another`)
    }
  }

  #presentOf({ owner }: Session<Resource>): Set<Session<Resource>> | undefined {
    return owner === undefined ? undefined : this.#present.get(owner)
  }
}
