import { KeepAlive } from '../core/async/keep-alive.ts'
import { LinkedQueue, type QueueEntry } from '../core/async/linked-queue.ts'
import { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import type { Step } from '../core/events/step.ts'
import { creationsInFlight, type FastPathBlockers } from './fast-path/blockers.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { WhenFull } from './options.ts'
import type { SessionRecord } from './session/session-record.ts'
import { noSlot, type Slot } from './table/session-table.ts'

/** What is leaving memory, and counts until it has left. */
export interface Leaving {
  readonly count: number
}

/** A request for the place of one more session. */
export interface CapacityRequest {
  /** Its position among the requests that wait; set by the {@link Capacity} alone. */
  entry?: QueueEntry<CapacityRequest> | undefined
  /** Called in the step in which there is a place. It creates the session at once, or takes the place. */
  grant(): void
  refuse(error: SessionRegistryError): void
}

/**
 * Number of expired sessions that a creation removes at most: more than one, so that memory stays bounded
 * where no timer runs; few, so that no creation is slow.
 */
const maxReclaimedPerCreation = 4

/**
 * The limit on sessions in memory, `maxSessions`.
 *
 * A session that is being archived or disposed of counts until that has settled, and a value that is being
 * made counts from before its factory is called. So where sessions are archived or disposed of a place
 * becomes free later, and requests that can wait are granted in their order.
 */
export class Capacity<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #step: Step
  readonly #maxSessions: number
  /** Without a limit there is always a place. */
  readonly #isUnbounded: boolean
  readonly #whenFull: WhenFull
  readonly #blockers: FastPathBlockers
  /** Empty where sessions end at once. */
  readonly #leaving: readonly Leaving[]
  /** The number of values that are being made. */
  #making = 0
  readonly #requests = new LinkedQueue<CapacityRequest>()
  /**
   * Sessions that were retired for requests that wait. One that is live again was restored: its archive
   * failed.
   */
  readonly #attempted = new Set<SessionRecord<T>>()
  /** Keeps the process alive while a request waits, since no timer of an archive does. */
  readonly #keepAlive: KeepAlive
  #isScheduled = false
  readonly #follower = () => this.#scheduleGrants()

  constructor(
    lifecycle: Lifecycle<T>,
    blockers: FastPathBlockers,
    limits: { readonly maxSessions: number; readonly whenFull: WhenFull },
    leaving: readonly Leaving[],
  ) {
    this.#lifecycle = lifecycle
    this.#step = lifecycle.step
    this.#maxSessions = limits.maxSessions
    this.#isUnbounded = limits.maxSessions === Number.POSITIVE_INFINITY
    this.#whenFull = limits.whenFull
    this.#blockers = blockers
    this.#leaving = leaving
    this.#keepAlive = new KeepAlive(lifecycle)
  }

  /** Whether a place may become free only after a while. */
  get frees(): 'at once' | 'later' {
    return this.#leaving.length === 0 ? 'at once' : 'later'
  }

  /** Whether a request is refused now: there is no place, and none can become free. Changes nothing. */
  get isFull(): boolean {
    if (this.#isUnbounded || this.#hasCapacity) return false
    return this.#leavingCount === 0 && this.#making === 0 && this.#victim() === undefined
  }

  /** The number of values that are being made. */
  get making(): number {
    return this.#making
  }

  /**
   * Checks that {@link reserve} is going to succeed. Where sessions end at once it evicts none yet, since the
   * factory may throw: it removes expired ones. Elsewhere it starts to make room, and throws unless that is
   * done when it returns; `spared` is not evicted. Not in a step, since disposals are called at its end.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  assertCanCreate(spared: Slot = noSlot): void {
    if (!this.#isUnbounded) this.#assertCanCreate(spared)
  }

  #assertCanCreate(spared: Slot): void {
    // Requests that wait came first.
    if (this.#hasCapacityBeside(this.#requests.size)) return
    this.#reclaimExpired(this.#lifecycle.clock.now())
    if (this.#hasCapacityBeside(this.#requests.size)) return
    if (this.frees === 'at once') {
      if (this.#victim(spared) !== undefined) return
    } else if (this.#leavingCount <= this.#requests.size && !this.#hasCapacity) {
      this.#evictOne(false, spared)
      if (this.#hasCapacityBeside(this.#requests.size)) return
    }
    throw this.#fullError()
  }

  /**
   * Takes a place for a value that is being made. It is released, or used for its session in the same step.
   */
  startMaking(): void {
    this.#making += 1
    this.#blockers.block(creationsInFlight)
  }

  /** Releases a place of {@link startMaking}. */
  endMaking(): void {
    if (this.#making === 0) return
    this.#making -= 1
    if (this.#making === 0) this.#blockers.unblock(creationsInFlight)
    this.#step.run(() => this.#step.markChanged())
  }

  /** Releases the places of all values that are being made: the last deadline of `close` has passed. */
  giveUpMaking(): void {
    while (this.#making > 0) this.endMaking()
  }

  /** Takes a place for a value that is being made already, at the cost of another session if need be. */
  adoptMaking(): void {
    if (!this.#isUnbounded && !this.#hasCapacity) this.#evictOne()
    this.startMaking()
  }

  /**
   * Makes room for one session at once, in the step that creates it.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  reserve(now: number): void {
    if (this.#lifecycle.table.mayHaveExpired(now)) this.#reclaimExpired(now)
    if (!this.#isUnbounded) this.#reserve()
  }

  #reserve(): void {
    while (!this.#hasCapacity) {
      if (this.frees === 'later' || !this.#evictOne()) throw this.#fullError()
    }
  }

  /** Grants a place at once if there is one or one can be made, else when one becomes free; or refuses. */
  acquire(request: CapacityRequest): void {
    this.#step.run(() => this.#acquire(request))
  }

  #acquire(request: CapacityRequest): void {
    this.#reclaimExpired(this.#lifecycle.clock.now())
    if (this.#requests.size === 0 && this.#hasCapacity) {
      request.grant()
      return
    }
    request.entry = this.#requests.push(request)
    this.#grantNext()
    this.#onRequestsChanged()
  }

  /** Withdraws a request that waits. */
  cancel(request: CapacityRequest): void {
    if (request.entry?.remove() === true) this.#onRequestsChanged()
  }

  /** Serves the requests that wait, in a microtask: places may have become free. */
  #scheduleGrants(): void {
    if (this.#requests.size === 0 || this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#step.run(() => {
        this.#grantNext()
        this.#onRequestsChanged()
      })
    })
  }

  /**
   * Grants requests while there are places, starts the archives that free more, and refuses if none can be
   * freed.
   */
  #grantNext(): void {
    while (this.#requests.size > 0) {
      if (this.frees === 'at once') while (!this.#hasCapacity && this.#evictOne()) {}
      if (!this.#hasCapacity) break
      const request = this.#requests.shift()
      this.#attempted.clear()
      request?.grant()
    }
    if (this.frees === 'later') while (this.#requests.size > this.#leavingCount && this.#evictOne(true)) {}
    // While something leaves a place is going to be free, if not for the first request then for a later one.
    // What is being made becomes a session, which can be evicted, or fails.
    if (this.#leavingCount === 0 && this.#making === 0)
      for (const request of this.#requests.takeAll()) request.refuse(this.#fullError())
  }

  get #hasCapacity(): boolean {
    return this.#hasCapacityBeside(0)
  }

  #hasCapacityBeside(reserved: number): boolean {
    return this.#lifecycle.table.size + this.#leavingCount + this.#making + reserved < this.#maxSessions
  }

  get #leavingCount(): number {
    let count = 0
    for (const leaving of this.#leaving) count += leaving.count
    return count
  }

  #onRequestsChanged(): void {
    const isAwaited = this.#requests.size > 0
    if (isAwaited) {
      this.#step.follow(this.#follower)
    } else {
      this.#attempted.clear()
      this.#step.unfollow(this.#follower)
    }
    this.#keepAlive.setActive(isAwaited)
  }

  /** Removes a few expired sessions, so that memory stays bounded even where no timer gets to run. */
  #reclaimExpired(now: number): void {
    const { table } = this.#lifecycle
    if (!table.mayHaveExpired(now)) return
    this.#step.runInBackground(() => {
      for (let count = 0; count < maxReclaimedPerCreation; count += 1) {
        const slot = table.nextExpired(now)
        if (slot === noSlot || slot === 'paused') return
        this.#lifecycle.expire(slot)
      }
    })
  }

  #evictOne(unattempted = false, spared: Slot = noSlot): boolean {
    const victim = this.#victim(spared)
    if (victim === undefined) return false
    const { slot, isExpired } = victim
    if (unattempted) {
      const record = this.#lifecycle.table.recordOf(slot)
      // Restored a moment ago, and again the least active: while the store is down, it would be retired
      // without end.
      if (!isExpired && this.#attempted.has(record)) return false
      this.#attempted.add(record)
    }
    this.#step.runInBackground(() => {
      if (isExpired) this.#lifecycle.expire(slot)
      else this.#lifecycle.retire(slot, 'capacity')
    })
    return true
  }

  #victim(spared: Slot = noSlot) {
    const { table, clock } = this.#lifecycle
    const now = clock.now()
    let slot = table.nextExpired(now)
    while (slot === 'paused') slot = table.nextExpired(now)
    if (slot !== noSlot && slot !== spared) return { slot, isExpired: true }
    slot = this.#whenFull === 'evict' ? this.#leastRecentlyActive(spared) : noSlot
    return slot === noSlot ? undefined : { slot, isExpired: false }
  }

  #leastRecentlyActive(spared: Slot): Slot {
    const { table } = this.#lifecycle
    const first = table.leastRecentlyActive
    if (first !== spared || first === noSlot) return first
    return table.snapshot().find((slot) => slot !== spared && !table.isHeld(slot)) ?? noSlot
  }

  #fullError(): SessionRegistryError {
    return new SessionRegistryError(
      'ERR_SESSION_REGISTRY_FULL',
      `Expected room for one more session, but the registry holds its \`maxSessions\` of ${this.#maxSessions}` +
        (this.frees === 'at once' ? '' : ', those that are leaving included; `open` and `run` wait for room'),
    )
  }
}
