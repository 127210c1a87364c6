import { KeepAlive } from '../core/async/keep-alive.ts'
import { LinkedQueue, type QueueEntry } from '../core/async/linked-queue.ts'
import { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import type { Step } from '../core/events/step.ts'
import type { Archiver } from './archiving/archiver.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { WhenFull } from './options.ts'
import type { SessionRecord } from './session/session-record.ts'
import { noSlot } from './table/session-table.ts'

/** A request for the place of one more session. */
export interface CapacityRequest {
  /** Its position among the requests that wait; set by the {@link Capacity} alone. */
  entry?: QueueEntry<CapacityRequest> | undefined
  /** Called in the step in which there is a place. It creates the session at once. */
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
 * A session that is being archived counts until its archive has settled. So where sessions are archived a
 * place becomes free later, and requests that can wait are granted in their order.
 */
export class Capacity<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #step: Step
  readonly #maxSessions: number
  /** Without a limit there is always a place. */
  readonly #isUnbounded: boolean
  readonly #whenFull: WhenFull
  /** `undefined` where sessions end at once. */
  readonly #archiver: Archiver<T> | undefined
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
    limits: { readonly maxSessions: number; readonly whenFull: WhenFull },
    archiver: Archiver<T> | undefined,
  ) {
    this.#lifecycle = lifecycle
    this.#step = lifecycle.step
    this.#maxSessions = limits.maxSessions
    this.#isUnbounded = limits.maxSessions === Number.POSITIVE_INFINITY
    this.#whenFull = limits.whenFull
    this.#archiver = archiver
    this.#keepAlive = new KeepAlive(lifecycle)
  }

  /**
   * Checks that {@link reserve} is going to succeed. It evicts no session yet, since the factory may throw:
   * it removes expired ones, and starts an archive where only that can make room.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  assertCanCreate(): void {
    if (!this.#isUnbounded) this.#assertCanCreate()
  }

  #assertCanCreate(): void {
    // Requests that wait came first.
    if (this.#hasCapacityBeside(this.#requests.size)) return
    this.#reclaimExpired(this.#lifecycle.clock.now())
    if (this.#hasCapacityBeside(this.#requests.size)) return
    if (this.#archiver === undefined) {
      if (this.#victim() !== undefined) return
    } else if (this.#archiving <= this.#requests.size && !this.#hasCapacity) {
      this.#evictOne()
    }
    throw this.#fullError()
  }

  /**
   * Checks that {@link acquire} would not refuse. Changes nothing.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  assertAttainable(): void {
    if (this.#hasCapacity || this.#archiving > 0 || this.#victim() !== undefined) return
    throw this.#fullError()
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
      if (this.#archiver !== undefined || !this.#evictOne()) throw this.#fullError()
    }
  }

  /** Grants a place at once if there is one or one can be made, else when one becomes free; or refuses. */
  acquire(request: CapacityRequest): void {
    this.#step.run(() => this.#acquire(request))
  }

  #acquire(request: CapacityRequest): void {
    this.#reclaimExpired(this.#lifecycle.clock.now())
    if (this.#archiver === undefined) {
      while (!this.#hasCapacity && this.#evictOne()) {}
      if (this.#hasCapacity) request.grant()
      else request.refuse(this.#fullError())
      return
    }
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
    for (;;) {
      const request = this.#hasCapacity ? this.#requests.shift() : undefined
      if (request === undefined) break
      this.#attempted.clear()
      request.grant()
    }
    while (this.#requests.size > this.#archiving && this.#evictOne({ unattempted: true })) {}
    // While an archive is in flight a place is going to be free, if not for the first request then for a
    // later one.
    if (this.#archiving === 0)
      for (const request of this.#requests.takeAll()) request.refuse(this.#fullError())
  }

  get #hasCapacity(): boolean {
    return this.#hasCapacityBeside(0)
  }

  #hasCapacityBeside(reserved: number): boolean {
    return this.#lifecycle.table.size + this.#archiving + reserved < this.#maxSessions
  }

  get #archiving(): number {
    return this.#archiver?.count ?? 0
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

  #evictOne({ unattempted = false } = {}): boolean {
    const victim = this.#victim()
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

  #victim() {
    const { table, clock } = this.#lifecycle
    const now = clock.now()
    let slot = table.nextExpired(now)
    while (slot === 'paused') slot = table.nextExpired(now)
    if (slot !== noSlot) return { slot, isExpired: true }
    slot = this.#whenFull === 'evict' ? table.leastRecentlyActive : noSlot
    return slot === noSlot ? undefined : { slot, isExpired: false }
  }

  #fullError(): SessionRegistryError {
    return new SessionRegistryError(
      'ERR_SESSION_REGISTRY_FULL',
      `Expected room for one more session, but the registry holds its \`maxSessions\` of ${this.#maxSessions}` +
        (this.#archiver === undefined
          ? ''
          : ', those being archived included; `open` and `run` wait for room'),
    )
  }
}
