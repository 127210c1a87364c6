import type { FullClock } from '../core/clock.ts'
import { type Concerns, creationMayBeForbidden, idsAreArchived } from '../core/concerns.ts'
import type { CreateSession } from '../core/hooks.ts'
import { ownString } from '../core/own-string.ts'
import { closed, needsOpen, noFactory } from '../core/refusals.ts'
import type { Counters } from '../core/stats.ts'
import { checkId } from '../core/validate.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { ResolvedOptions } from './options.ts'
import type { RegistryParts } from './parts.ts'
import { maxInMap } from './table/index-limits.ts'
import type { SessionTable } from './table/session-table.ts'
import { noSlot } from './table/slot-page.ts'

/** Reading and writing, outside turns: which effect comes after which. */
export class Access<T> {
  readonly #parts: RegistryParts<T>
  // Some of the parts at hand: the way to them is a part of what each touch and each creation costs. Declared only, and not
  // `#private`: V8 then knows what they are from the first look.
  declare private readonly table: SessionTable<T>
  declare private readonly lifecycle: Lifecycle<T>
  declare private readonly clock: FullClock
  declare private readonly counters: Counters
  declare private readonly concerns: Concerns
  declare private readonly few: ReadonlyMap<string, number>
  /** With fewer sessions in that `Map` there is room for one more, unless something is being archived or waits. */
  declare private readonly roomy: number
  declare private readonly copiesIds: boolean
  readonly #loads: boolean
  readonly #archives: boolean

  constructor(parts: RegistryParts<T>, options: ResolvedOptions<T>) {
    this.#parts = parts
    this.table = parts.table
    this.lifecycle = parts.lifecycle
    this.clock = parts.lifecycle.clock
    this.counters = parts.counters
    this.concerns = parts.concerns
    this.few = parts.table.byId.few
    this.roomy = roomySize(options.maxSessions)
    this.copiesIds = options.copyIds
    this.#loads = options.load !== undefined
    this.#archives = options.archive !== undefined
  }

  /** The live session of an id, touched; `noSlot` where there is none. One that is over is let go, and told. */
  active(id: string): number {
    const slot = this.table.find(id)
    if (slot === noSlot) {
      checkId(id)
      return noSlot
    }
    if (this.table.touchLive(slot, this.clock.now())) return slot
    this.lifecycle.expire(slot)
    this.#parts.announcer.deliver()
    // A listener may have brought the id back.
    return this.live(id)
  }

  /** The live session of an id, left as it is; `noSlot` where there is none. */
  live(id: string): number {
    const slot = this.table.find(checkId(id))
    return slot !== noSlot && this.#isLive(slot) ? slot : noSlot
  }

  /** The value of the live session of an id, touched. */
  get(id: string): T | undefined {
    const slot = this.active(id)
    if (slot === noSlot) {
      this.counters.misses += 1
      return undefined
    }
    this.counters.hits += 1
    return this.table.valueOf(slot)
  }

  /** The value of the live session of an id, touched, or of a new one. */
  getOrMake(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): T {
    const slot = this.active(id)
    if (slot !== noSlot) {
      this.counters.hits += 1
      return this.table.valueOf(slot)
    }
    return this.make(id, create, timeoutMs)
  }

  /** The value of a new session where there is none. Nothing is ended for it before its value is there. */
  make(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): T {
    checkId(id)
    const { counters, concerns } = this
    counters.misses += 1
    const isRoomy = this.few.size < this.roomy
    if (create !== undefined && timeoutMs === undefined && isRoomy && !concerns.isAny()) {
      const createdBefore = counters.created
      const value = create(id)
      const isUsed = counters.created !== createdBefore
      // The factory may have changed everything.
      const kept = this.copiesIds ? ownString(id) : id
      if (!isUsed && !concerns.isAny() && this.lifecycle.createAtAGlance(kept, value) !== noSlot) return value
      return this.#takeUp(kept, value, timeoutMs, isUsed)
    }
    const { room, announcer } = this.#parts
    try {
      if (this.#mayBeForbidden()) this.#checkCreatable(id)
      if (create === undefined) throw noFactory()
      room.check()
      const createdBefore = counters.created
      const value = create(id)
      const kept = this.copiesIds ? ownString(id) : id
      return this.#takeUp(kept, value, timeoutMs, counters.created !== createdBefore)
    } finally {
      announcer.deliver()
    }
  }

  /** A session of the value that a factory has given. `isUsed`: it has made sessions in there. */
  #takeUp(id: string, value: T, timeoutMs: number | undefined, isUsed: boolean): T {
    const { lifecycle } = this
    const { room, announcer } = this.#parts
    try {
      // Whoever came first in there has made the session.
      const slot = isUsed ? this.active(id) : noSlot
      if (slot !== noSlot) return this.table.valueOf(slot)
      if (this.#mayBeForbidden()) this.#checkCreatable(id)
      const now = this.clock.now()
      room.make(now)
      lifecycle.create(id, value, now, timeoutMs)
      // The value itself: its session may be gone again when the listeners have been told of it.
      return value
    } finally {
      announcer.deliver()
    }
  }

  /** Assigns the value of the live session of an id, which is touched; else creates a session of it. */
  set(id: string, value: T, timeoutMs: number | undefined): void {
    const { archiver, announcer, closing } = this.#parts
    // One that is over is let go, and its listeners may have brought the id back.
    const slot = this.active(id)
    if (slot !== noSlot) {
      this.table.assign(slot, value)
      return
    }
    if (closing !== undefined) throw closed()
    if (archiver.has(id)) throw needsOpen('is being archived')
    try {
      this.#createFrom(id, value, timeoutMs)
    } finally {
      announcer.deliver()
    }
  }

  /** Creates a session of the value. A live one of the id ends with `'replaced'`, and so does one that is being archived. */
  replace(id: string, value: T, timeoutMs: number | undefined): void {
    const { archiver, announcer, closing } = this.#parts
    const slot = this.table.find(checkId(id))
    if (closing !== undefined) throw closed()
    try {
      if (slot === noSlot ? archiver.abandon(id, 'replaced') : this.#endAtOnce(slot, 'replaced')) {
        // Its place in memory is the new one's.
        this.lifecycle.create(ownString(id), value, this.clock.now(), timeoutMs)
      } else {
        this.#createFrom(id, value, timeoutMs)
      }
    } finally {
      announcer.deliver()
    }
  }

  #createFrom(id: string, value: T, timeoutMs: number | undefined): void {
    const { room } = this.#parts
    room.check()
    const now = this.clock.now()
    room.make(now)
    this.lifecycle.create(ownString(id), value, now, timeoutMs)
  }

  /** Ends a session, its archive, or its load. Returns whether there was one: live, or still to be archived. */
  delete(id: string): boolean {
    const slot = this.table.find(id)
    if (slot !== noSlot) return this.#endAtOnce(slot, 'deleted')
    const { archiver, opener } = this.#parts
    return archiver.abandon(id, 'deleted') || opener.restart(id)
  }

  /**
   * Ends a session without archiving it. Returns whether it was there for this reason: one that expired before ends as
   * expired, unless it was still to be archived.
   */
  #endAtOnce(slot: number, reason: 'deleted' | 'replaced'): boolean {
    const isThere = this.#archives || this.#isLive(slot)
    this.lifecycle.end(slot, isThere ? reason : this.table.expiryReason(slot))
    return isThere
  }

  /** Ends all sessions as {@link delete} does. Returns how many there were. */
  clear(): number {
    const { archiver, opener } = this.#parts
    let count = opener.restartAll()
    for (const id of archiver.ids()) if (archiver.abandon(id, 'deleted')) count += 1
    const now = this.clock.now()
    const isThere = (slot: number) => this.#archives || !this.table.isOver(slot, now)
    this.table.takeAll((slot) => {
      const reason = isThere(slot) ? 'deleted' : this.table.expiryReason(slot)
      if (reason === 'deleted') count += 1
      this.lifecycle.end(slot, reason, now)
    })
    return count
  }

  /** The live sessions as they are at the first step; one that has ended meanwhile is passed over. */
  *walk(): Generator<number, void, undefined> {
    const table = this.table
    const slots = table.snapshot()
    const lives = slots.map((slot) => table.life(slot))
    for (const [at, slot] of slots.entries()) {
      if (table.life(slot) === lives[at] && this.#isLive(slot)) yield slot
    }
  }

  #isLive(slot: number): boolean {
    return !this.table.isOver(slot, this.clock.now())
  }

  #mayBeForbidden(): boolean {
    return this.concerns.has(creationMayBeForbidden | idsAreArchived)
  }

  #checkCreatable(id: string): void {
    if (this.#parts.closing !== undefined) throw closed()
    if (this.#parts.archiver.has(id)) throw needsOpen('is being archived')
    if (this.#loads) throw needsOpen('may have to be loaded')
  }
}

/** Up to how many sessions in the `Map` a cap need not be asked: all of them where there is none. */
function roomySize(maxSessions: number): number {
  if (maxSessions === Number.POSITIVE_INFINITY) return maxInMap + 1
  // Beyond that sessions are elsewhere as well, so a larger cap is asked each time.
  return maxSessions <= maxInMap ? maxSessions : 0
}
