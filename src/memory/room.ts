import { SessionRegistryError } from '../core/errors.ts'
import { KeepAlive } from '../core/keep-alive.ts'
import { LinkedQueue, type QueueEntry } from '../core/linked-queue.ts'
import type { Archiver } from './archiver.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { WhenFull } from './options.ts'
import { breath } from './table/idle-class.ts'
import type { SessionRecord } from './table/session-record.ts'
import { noSlot } from './table/slot-page.ts'

/** Somebody who waits until memory has room for one more session. */
export interface RoomWaiter {
  /** Its place among those who wait; set by the {@link Room} alone. */
  place?: QueueEntry<RoomWaiter> | undefined
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
  /** As most are: then there is always room. */
  readonly #isUnbounded: boolean
  readonly #whenFull: WhenFull
  /** `undefined` where sessions end at once. */
  readonly #archiver: Archiver<T> | undefined
  readonly #waiters = new LinkedQueue<RoomWaiter>()
  /** Sessions that were let go for those who wait. One that is back among the living was tried in vain. */
  readonly #tried = new Set<SessionRecord<T>>()
  /** Keeps the process alive while somebody waits, for no timer of an archive does it for them. */
  readonly #keeper: KeepAlive
  #isScheduled = false

  constructor(
    lifecycle: Lifecycle<T>,
    cap: { readonly maxSessions: number; readonly whenFull: WhenFull },
    archiver: Archiver<T> | undefined,
  ) {
    this.#lifecycle = lifecycle
    this.#maxSessions = cap.maxSessions
    this.#isUnbounded = cap.maxSessions === Number.POSITIVE_INFINITY
    this.#whenFull = cap.whenFull
    this.#archiver = archiver
    this.#keeper = new KeepAlive(lifecycle)
  }

  /**
   * Makes sure that {@link make} will succeed. Evicts nobody yet, for the factory may still throw; only what is over goes,
   * and an archive is started.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  check(): void {
    if (!this.#isUnbounded) this.#check()
  }

  #check(): void {
    // Those who wait were first: what is free is theirs before it is a newcomer's.
    if (this.#isFreeBeside(this.#waiters.size)) return
    this.#letFewGo(this.#lifecycle.clock.now())
    if (this.#isFreeBeside(this.#waiters.size)) return
    if (this.#archiver === undefined) {
      if (this.#victim() !== undefined) return
    } else if (this.#coming <= this.#waiters.size && !this.#isFree) {
      this.#letOneGo()
    }
    throw this.#full()
  }

  /**
   * Makes sure that {@link request} will not refuse, as things are. Ends nobody, and starts nothing.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  checkPossible(): void {
    if (this.#isFree || this.#coming > 0 || this.#victim() !== undefined) return
    throw this.#full()
  }

  /**
   * Makes room for one session, now.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  make(now: number): void {
    if (this.#lifecycle.table.mayHaveOver(now)) this.#letFewGo(now)
    if (!this.#isUnbounded) this.#make()
  }

  #make(): void {
    while (!this.#isFree) {
      if (this.#archiver !== undefined || !this.#letOneGo()) throw this.#full()
    }
  }

  /** Grants room at once where there is or can be some, else when there is, or refuses. */
  request(waiter: RoomWaiter): void {
    this.#letFewGo(this.#lifecycle.clock.now())
    if (this.#archiver === undefined) {
      while (!this.#isFree && this.#letOneGo()) {}
      if (this.#isFree) waiter.grant()
      else waiter.refuse(this.#full())
      return
    }
    if (this.#waiters.size === 0 && this.#isFree) {
      waiter.grant()
      return
    }
    waiter.place = this.#waiters.push(waiter)
    this.#provide()
    this.#keepAlive()
  }

  /** Takes a waiter back out. */
  leave(waiter: RoomWaiter): void {
    if (waiter.place?.remove() === true) this.#keepAlive()
  }

  /** Something ended or was handed back: looks after those who wait, when the present step is done. */
  changed(): void {
    if (this.#waiters.size === 0 || this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#provide()
      this.#keepAlive()
      this.#lifecycle.announcer.deliver()
    })
  }

  /** Gives room to those who are first, begins the archives that make more, and refuses where nobody can be let go. */
  #provide(): void {
    for (;;) {
      const waiter = this.#isFree ? this.#waiters.shift() : undefined
      if (waiter === undefined) break
      this.#tried.clear()
      waiter.grant()
    }
    while (this.#waiters.size > this.#coming && this.#letOneGo({ untried: true })) {}
    // While room is coming, for others first, there is hope: they may not keep it for long.
    if (this.#coming === 0) for (const waiter of this.#waiters.takeAll()) waiter.refuse(this.#full())
  }

  get #isFree(): boolean {
    return this.#isFreeBeside(0)
  }

  #isFreeBeside(others: number): boolean {
    return this.#lifecycle.table.size + this.#coming + others < this.#maxSessions
  }

  get #coming(): number {
    return this.#archiver?.count ?? 0
  }

  #keepAlive(): void {
    const isWaitedFor = this.#waiters.size > 0
    if (!isWaitedFor) this.#tried.clear()
    this.#keeper.turn(isWaitedFor)
  }

  /** A creation lets go a few that are over, so that memory stays bounded by use even where no timer gets to run. */
  #letFewGo(now: number): void {
    const { table } = this.#lifecycle
    if (!table.mayHaveOver(now)) return
    this.#lifecycle.announcer.inBackground(() => {
      for (let step = 0; step < letGoPerCreation; step += 1) {
        const slot = table.nextOver(now)
        if (slot === noSlot || slot === breath) return
        this.#lifecycle.expire(slot)
      }
    })
  }

  #letOneGo({ untried = false } = {}): boolean {
    const victim = this.#victim()
    if (victim === undefined) return false
    const { slot, isOver } = victim
    if (untried) {
      const record = this.#lifecycle.table.recordOf(slot)
      // Handed back a moment ago, and again the least active: where storage is down, it would be asked without end.
      if (!isOver && this.#tried.has(record)) return false
      this.#tried.add(record)
    }
    this.#lifecycle.announcer.inBackground(() => {
      if (isOver) this.#lifecycle.expire(slot)
      else this.#lifecycle.letGo(slot, 'capacity')
    })
    return true
  }

  #victim() {
    const { table, clock } = this.#lifecycle
    const now = clock.now()
    let slot = table.nextOver(now)
    while (slot === breath) slot = table.nextOver(now)
    if (slot !== noSlot) return { slot, isOver: true }
    slot = this.#whenFull === 'evict' ? table.leastActive : noSlot
    return slot === noSlot ? undefined : { slot, isOver: false }
  }

  #full(): SessionRegistryError {
    return new SessionRegistryError(
      'ERR_SESSION_REGISTRY_FULL',
      `Expected room for one more session, but the registry holds its \`maxSessions\` of ${this.#maxSessions}` +
        (this.#archiver === undefined
          ? ''
          : ', those being archived included; `open` and `run` wait for room'),
    )
  }
}
