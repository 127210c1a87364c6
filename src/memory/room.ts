import { SessionRegistryError } from '../core/errors.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { WhenFull } from './options.ts'

/** Somebody who waits until memory has room for one more session. */
export interface RoomWaiter {
  /** Called in the step in which there is room; whoever takes it creates at once. */
  grant(): void
  refuse(error: SessionRegistryError): void
}

/** More than come in with one creation, so memory cannot grow for want of a timer; few, so no creation is slow. */
const letGoPerCreation = 4

/**
 * The cap on sessions in memory.
 *
 * What is being archived still counts: memory holds it until the archive has it. So where sessions are archived, room
 * comes later, and who can wait for it does, first come, first served.
 */
export class Room<T> {
  readonly #lifecycle: Lifecycle<T>
  readonly #maxSessions: number
  readonly #whenFull: WhenFull
  /** How many are being archived; `undefined` where sessions end at once. */
  readonly #countArchiving: (() => number) | undefined
  readonly #waiters: RoomWaiter[] = []
  #isScheduled = false

  constructor(
    lifecycle: Lifecycle<T>,
    cap: { readonly maxSessions: number; readonly whenFull: WhenFull },
    countArchiving: (() => number) | undefined,
  ) {
    this.#lifecycle = lifecycle
    this.#maxSessions = cap.maxSessions
    this.#whenFull = cap.whenFull
    this.#countArchiving = countArchiving
  }

  /**
   * Makes sure that {@link make} will succeed. Evicts nobody yet, for the factory may still throw; only what is over goes,
   * and an archive is started.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  check(): void {
    if (this.#isFree) return
    this.#letFewGo(this.#lifecycle.clock.now())
    if (this.#isFree) return
    if (this.#countArchiving === undefined) {
      if (this.#victim() !== undefined) return
    } else if (this.#coming <= this.#waiters.length) {
      this.#letOneGo()
    }
    throw this.#full()
  }

  /**
   * Makes room for one session, now.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  make(now: number): void {
    this.#letFewGo(now)
    while (!this.#isFree) {
      if (this.#countArchiving !== undefined || !this.#letOneGo()) throw this.#full()
    }
  }

  /** Whether room comes by archives, for which one has to wait. */
  get comesLater(): boolean {
    return this.#countArchiving !== undefined
  }

  /** Grants room at once where there is or can be some, else when there is, or refuses. */
  request(waiter: RoomWaiter): void {
    this.#letFewGo(this.#lifecycle.clock.now())
    if (!this.comesLater) {
      while (!this.#isFree && this.#letOneGo()) {}
      if (this.#isFree) waiter.grant()
      else waiter.refuse(this.#full())
      return
    }
    if (this.#waiters.length === 0 && this.#isFree) {
      waiter.grant()
      return
    }
    this.#waiters.push(waiter)
    this.#provide()
  }

  /** Takes a waiter back out. */
  leave(waiter: RoomWaiter): void {
    const index = this.#waiters.indexOf(waiter)
    if (index >= 0) this.#waiters.splice(index, 1)
  }

  /** Something ended or was handed back: looks after those who wait, when the present step is done. */
  changed(): void {
    if (this.#waiters.length === 0 || this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#provide()
      this.#lifecycle.announcer.deliver()
    })
  }

  /** Each waiter gets room, or an archive under way that will make it, or a refusal. */
  #provide(): void {
    for (;;) {
      const waiter = this.#isFree ? this.#waiters.shift() : undefined
      if (waiter === undefined) break
      waiter.grant()
    }
    while (this.#waiters.length > this.#coming) {
      // The last to come is the first to be refused: the room that is coming belongs to those before it.
      if (!this.#letOneGo()) this.#waiters.pop()?.refuse(this.#full())
    }
  }

  get #isFree(): boolean {
    return this.#lifecycle.table.size + this.#coming < this.#maxSessions
  }

  get #coming(): number {
    return this.#countArchiving?.() ?? 0
  }

  /** A creation lets go a few that are over, so that memory stays bounded by use even where no timer gets to run. */
  #letFewGo(now: number): void {
    const { table } = this.#lifecycle
    if (!table.mayHaveOver(now)) return
    let steps = 0
    for (const record of table.over(now)) {
      if (record !== undefined) this.#lifecycle.expire(record)
      steps += 1
      if (record === undefined || steps >= letGoPerCreation) return
    }
  }

  #letOneGo(): boolean {
    const victim = this.#victim()
    if (victim === undefined) return false
    const { record, isOver } = victim
    if (isOver) this.#lifecycle.expire(record)
    else this.#lifecycle.letGo(record, 'capacity')
    return true
  }

  #victim() {
    const { table, clock } = this.#lifecycle
    const now = clock.now()
    for (const record of table.over(now)) if (record !== undefined) return { record, isOver: true }
    const record = this.#whenFull === 'evict' ? table.leastActive : undefined
    return record === undefined ? undefined : { record, isOver: false }
  }

  #full(): SessionRegistryError {
    return new SessionRegistryError(
      'ERR_SESSION_REGISTRY_FULL',
      `Expected room for one more session, but the registry holds its \`maxSessions\` of ${this.#maxSessions}` +
        (this.#countArchiving === undefined
          ? ''
          : ', those being archived included; `open` and `run` wait for room'),
    )
  }
}
