import { KeepAlive } from '../../core/async/keep-alive.ts'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { Step } from '../../core/events/step.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { WhenFull } from '../options.ts'
import { noSlot, type Slot } from '../table/session-table.ts'
import type { OwnerIndex } from './owner-index.ts'

/** A request for the place of one more session of an owner. */
export interface OwnerRequest {
  readonly owner: string
  /** Called in the step in which there is a place, which is taken. */
  grant(): void
  refuse(error: SessionRegistryError): void
}

export interface OwnerLimitOptions {
  readonly maxPerOwner: number
  readonly whenOwnerFull: WhenFull
}

/**
 * The limit on the sessions of one owner, `maxPerOwner`. Values that are being made, archived or disposed of
 * count, so that a place may become free only later; requests that can wait are granted in their order.
 */
export class OwnerLimit<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #step: Step
  readonly #index: OwnerIndex
  readonly #maxPerOwner: number
  readonly #whenFull: WhenFull
  readonly #requests = new Set<OwnerRequest>()
  /** Keeps the process alive while a request waits, since no timer of an archive does. */
  readonly #keepAlive: KeepAlive
  #isScheduled = false
  readonly #follower = () => this.#schedule()

  constructor(lifecycle: Lifecycle<T>, { maxPerOwner, whenOwnerFull }: OwnerLimitOptions) {
    this.#lifecycle = lifecycle
    this.#step = lifecycle.step
    this.#index = lifecycle.table.owners
    this.#maxPerOwner = maxPerOwner
    this.#whenFull = whenOwnerFull
    this.#keepAlive = new KeepAlive(lifecycle)
    if (maxPerOwner !== Number.POSITIVE_INFINITY) this.#index.keepLists()
  }

  /** Whether one more session of an owner needs no other one to end. */
  hasRoom(owner: string | undefined): boolean {
    if (owner === undefined || this.#maxPerOwner === Number.POSITIVE_INFINITY) return true
    return (this.#index.find(owner)?.total ?? 0) < this.#maxPerOwner
  }

  /**
   * Checks that {@link reserve} is going to succeed. Where sessions end at once it ends none yet, since the
   * factory may throw. Elsewhere it starts to make room, and throws unless that is done when it returns;
   * `spared` is not ended.
   *
   * @throws SessionRegistryError `ERR_SESSION_OWNER_FULL`
   */
  assertCanCreate(owner: string | undefined, frees: 'at once' | 'later', spared: Slot = noSlot): void {
    if (this.hasRoom(owner) || owner === undefined) return
    if (frees === 'at once') {
      if (this.#victim(owner) !== noSlot) return
    } else if (this.#away(owner) === 0) {
      this.#step.runInBackground(() => this.#makeRoom(owner, spared))
      if (this.hasRoom(owner)) return
    }
    throw this.#fullError()
  }

  /**
   * Makes room for one session at once, in the step that creates it.
   *
   * @throws SessionRegistryError `ERR_SESSION_OWNER_FULL`
   */
  reserve(owner: string | undefined): void {
    if (this.hasRoom(owner) || owner === undefined) return
    this.#step.runInBackground(() => this.#makeRoom(owner))
    if (!this.hasRoom(owner)) throw this.#fullError()
  }

  /** Takes a place when there is one; see {@link OwnerRequest}. In a step. */
  acquire(request: OwnerRequest): void {
    this.#requests.add(request)
    this.#step.follow(this.#follower)
    this.#keepAlive.setActive(true)
    this.#serve(request)
  }

  cancel(request: OwnerRequest): void {
    this.#requests.delete(request)
    if (this.#requests.size > 0) return
    this.#step.unfollow(this.#follower)
    this.#keepAlive.setActive(false)
  }

  /** Takes or releases the place of a value that is in no slot. */
  countAway(owner: string | undefined, change: 1 | -1): void {
    if (owner === undefined) return
    this.#index.countAway(owner, change)
    if (change === -1 && this.#requests.size > 0) this.#step.run(() => this.#step.markChanged())
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#step.run(() => {
        for (const request of this.#requests) this.#serve(request)
      })
    })
  }

  #serve(request: OwnerRequest): void {
    const { owner } = request
    // What is leaving makes room for those that wait.
    if (this.#away(owner) === 0) this.#makeRoom(owner)
    if (this.hasRoom(owner)) {
      this.cancel(request)
      this.#index.countAway(owner, 1)
      request.grant()
    } else if (this.#away(owner) === 0) {
      this.cancel(request)
      request.refuse(this.#fullError())
    }
  }

  /** Ends sessions of an owner until there is room, or what has ended takes time to leave. */
  #makeRoom(owner: string, spared: Slot = noSlot): void {
    const { table, clock } = this.#lifecycle
    // More than one where sessions were given to the owner by assignment.
    while (!this.hasRoom(owner)) {
      const slot = this.#victim(owner, spared)
      if (slot === noSlot) return
      if (table.isExpired(slot, clock.now())) this.#lifecycle.expire(slot)
      else this.#lifecycle.retire(slot, 'capacity')
      if ((this.#index.find(owner)?.size ?? 0) < this.#maxPerOwner) return
    }
  }

  #away(owner: string): number {
    return this.#index.find(owner)?.away ?? 0
  }

  /** Returns the session to end for another one: an expired one, else the least recently active. */
  #victim(owner: string, spared: Slot = noSlot): Slot {
    const { table, clock } = this.#lifecycle
    const now = clock.now()
    let victim: Slot = noSlot
    for (const slot of this.#index.slotsOf(owner)) {
      if (slot === spared || table.isHeld(slot)) continue
      if (table.isExpired(slot, now)) return slot
      if (victim === noSlot || table.lastActive(slot) <= table.lastActive(victim)) victim = slot
    }
    return this.#whenFull === 'reject' ? noSlot : victim
  }

  #fullError(): SessionRegistryError {
    return new SessionRegistryError(
      'ERR_SESSION_OWNER_FULL',
      `Expected room for one more session of the owner, but it has its \`maxPerOwner\` of ${this.#maxPerOwner}, those that are leaving included`,
    )
  }
}
