import { KeepAlive } from '../core/async/keep-alive.ts'
import { LinkedQueue, type QueueEntry } from '../core/async/linked-queue.ts'
import { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import type { Archiver } from './archiving/archiver.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { WhenFull } from './options.ts'
import type { SessionRecord } from './session/session-record.ts'
import { noSlot } from './table/session-table.ts'

/** Somebody who waits until memory has room for one more session. */
export interface CapacityRequest {
  /** Its place among those who wait; set by the {@link Capacity} alone. */
  entry?: QueueEntry<CapacityRequest> | undefined
  /** Called in the step in which there is room; whoever takes it creates at once. */
  grant(): void
  refuse(error: SessionRegistryError): void
}

/** More than come in with one creation, so memory cannot grow for want of a timer; few, so no creation is slow. */
const maxReclaimedPerCreation = 4

/**
 * The cap on sessions in memory.
 *
 * What is being archived still counts: memory holds it until the archive has it. So where sessions are archived, room
 * comes later, and who can wait for it does, first come, first served.
 */
export class Capacity<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #maxSessions: number
  /** As most are: then there is always room. */
  readonly #isUnbounded: boolean
  readonly #whenFull: WhenFull
  /** `undefined` where sessions end at once. */
  readonly #archiver: Archiver<T> | undefined
  readonly #requests = new LinkedQueue<CapacityRequest>()
  /** Sessions that were let go for those who wait. One that is back among the living was tried in vain. */
  readonly #attempted = new Set<SessionRecord<T>>()
  /** Keeps the process alive while somebody waits, for no timer of an archive does it for them. */
  readonly #keepAlive: KeepAlive
  #isScheduled = false

  constructor(
    lifecycle: Lifecycle<T>,
    limits: { readonly maxSessions: number; readonly whenFull: WhenFull },
    archiver: Archiver<T> | undefined,
  ) {
    this.#lifecycle = lifecycle
    this.#maxSessions = limits.maxSessions
    this.#isUnbounded = limits.maxSessions === Number.POSITIVE_INFINITY
    this.#whenFull = limits.whenFull
    this.#archiver = archiver
    this.#keepAlive = new KeepAlive(lifecycle)
  }

  /**
   * Makes sure that {@link reserve} will succeed. Evicts nobody yet, for the factory may still throw; only what is over goes,
   * and an archive is started.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  assertCanCreate(): void {
    if (!this.#isUnbounded) this.#assertCanCreate()
  }

  #assertCanCreate(): void {
    // Those who wait were first: what is free is theirs before it is a newcomer's.
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
   * Makes sure that {@link acquire} will not refuse, as things are. Ends nobody, and starts nothing.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  assertAttainable(): void {
    if (this.#hasCapacity || this.#archiving > 0 || this.#victim() !== undefined) return
    throw this.#fullError()
  }

  /**
   * Makes room for one session, now.
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

  /** Grants room at once where there is or can be some, else when there is, or refuses. */
  acquire(request: CapacityRequest): void {
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
    this.#updateKeepAlive()
  }

  /** Takes a waiter back out. */
  cancel(request: CapacityRequest): void {
    if (request.entry?.remove() === true) this.#updateKeepAlive()
  }

  /** Something ended or was handed back: looks after those who wait, when the present step is done. */
  onFreed(): void {
    if (this.#requests.size === 0 || this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#grantNext()
      this.#updateKeepAlive()
      this.#lifecycle.events.flush()
    })
  }

  /** Gives room to those who are first, begins the archives that make more, and refuses where nobody can be let go. */
  #grantNext(): void {
    for (;;) {
      const request = this.#hasCapacity ? this.#requests.shift() : undefined
      if (request === undefined) break
      this.#attempted.clear()
      request.grant()
    }
    while (this.#requests.size > this.#archiving && this.#evictOne({ unattempted: true })) {}
    // While room is coming, for others first, there is hope: they may not keep it for long.
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

  #updateKeepAlive(): void {
    const isAwaited = this.#requests.size > 0
    if (!isAwaited) this.#attempted.clear()
    this.#keepAlive.setActive(isAwaited)
  }

  /** A creation lets go a few that are over, so that memory stays bounded by use even where no timer gets to run. */
  #reclaimExpired(now: number): void {
    const { table } = this.#lifecycle
    if (!table.mayHaveExpired(now)) return
    this.#lifecycle.events.inBackground(() => {
      for (let step = 0; step < maxReclaimedPerCreation; step += 1) {
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
      // Handed back a moment ago, and again the least active: where storage is down, it would be asked without end.
      if (!isExpired && this.#attempted.has(record)) return false
      this.#attempted.add(record)
    }
    this.#lifecycle.events.inBackground(() => {
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
