import { closedError, needsOpenError, noFactoryError } from '../core/errors/turn-errors.ts'
import {
  archivesInFlight,
  creationRestricted,
  type FastPathBlockers,
} from '../core/events/fast-path-blockers.ts'
import type { CreateSession } from '../core/hooks.ts'
import { detachString } from '../core/ids/detach-string.ts'
import { checkId } from '../core/options/validate.ts'
import type { Counters } from '../core/stats.ts'
import type { FullClock } from '../core/time/clock.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { ResolvedOptions } from './options.ts'
import type { Sessions } from './session/sessions.ts'
import { maxInMap } from './table/layout.ts'
import { noSlot, type Slot } from './table/session-table.ts'
import type { Components } from './wiring.ts'

/** Reading and writing, outside turns: which effect comes after which. */
export class Operations<T> {
  readonly #components: Components<T>
  // Some of the parts at hand: the way to them is a part of what each touch and each creation costs. Declared only, and not
  // `#private`: V8 then knows what they are from the first look.
  declare private readonly table: Sessions<T>
  declare private readonly lifecycle: Lifecycle<T>
  declare private readonly clock: FullClock
  declare private readonly counters: Counters
  declare private readonly blockers: FastPathBlockers
  declare private readonly map: ReadonlyMap<string, number>
  /** With fewer sessions in that `Map` there is room for one more, unless something is being archived or waits. */
  declare private readonly fastPathLimit: number
  declare private readonly copiesIds: boolean
  readonly #hasLoad: boolean
  readonly #hasArchive: boolean

  constructor(components: Components<T>, options: ResolvedOptions<T>) {
    this.#components = components
    this.table = components.table
    this.lifecycle = components.lifecycle
    this.clock = components.lifecycle.clock
    this.counters = components.counters
    this.blockers = components.blockers
    this.map = components.table.fastPath.map
    this.fastPathLimit = fastPathLimitOf(options.maxSessions)
    this.copiesIds = options.copyIds
    this.#hasLoad = options.load !== undefined
    this.#hasArchive = options.archive !== undefined
  }

  /** The live session of an id, touched; `noSlot` where there is none. One that is over is let go, and told. */
  touch(id: string): Slot {
    const slot = this.table.find(id)
    if (slot === noSlot) {
      checkId(id)
      return noSlot
    }
    if (this.table.touchLive(slot, this.clock.now())) return slot
    this.lifecycle.expire(slot)
    this.#components.events.flush()
    // A listener may have brought the id back.
    return this.peekLive(id)
  }

  /** The live session of an id, left as it is; `noSlot` where there is none. */
  peekLive(id: string): Slot {
    const slot = this.table.find(checkId(id))
    return slot !== noSlot && this.#isLive(slot) ? slot : noSlot
  }

  /** The value of the live session of an id, touched. */
  get(id: string): T | undefined {
    const slot = this.touch(id)
    if (slot === noSlot) {
      this.counters.misses += 1
      return undefined
    }
    this.counters.hits += 1
    return this.table.valueOf(slot)
  }

  /** The value of the live session of an id, touched, or of a new one. */
  getOrCreate(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): T {
    const slot = this.touch(id)
    if (slot !== noSlot) {
      this.counters.hits += 1
      return this.table.valueOf(slot)
    }
    return this.create(id, create, timeoutMs)
  }

  /** The value of a new session where there is none. Nothing is ended for it before its value is there. */
  create(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): T {
    checkId(id)
    const { counters, blockers } = this
    counters.misses += 1
    const isBelowLimit = this.map.size < this.fastPathLimit
    if (create !== undefined && timeoutMs === undefined && isBelowLimit && !blockers.isBlocked()) {
      const createdBefore = counters.created
      const value = create(id)
      const hasCreated = counters.created !== createdBefore
      // The factory may have changed everything.
      const ownId = this.copiesIds ? detachString(id) : id
      if (!hasCreated && !blockers.isBlocked() && this.lifecycle.tryFastCreate(ownId, value) !== noSlot)
        return value
      return this.#adopt(ownId, value, timeoutMs, hasCreated)
    }
    const { capacity, events } = this.#components
    try {
      if (this.#isRestricted()) this.#assertCanCreate(id)
      if (create === undefined) throw noFactoryError()
      capacity.assertCanCreate()
      const createdBefore = counters.created
      const value = create(id)
      const ownId = this.copiesIds ? detachString(id) : id
      return this.#adopt(ownId, value, timeoutMs, counters.created !== createdBefore)
    } finally {
      events.flush()
    }
  }

  /** A session of the value that a factory has given. `hasCreated`: it has made sessions in there. */
  #adopt(id: string, value: T, timeoutMs: number | undefined, hasCreated: boolean): T {
    const { lifecycle } = this
    const { capacity, events } = this.#components
    try {
      // Whoever came first in there has made the session.
      const slot = hasCreated ? this.touch(id) : noSlot
      if (slot !== noSlot) return this.table.valueOf(slot)
      if (this.#isRestricted()) this.#assertCanCreate(id)
      const now = this.clock.now()
      capacity.reserve(now)
      lifecycle.create(id, value, now, timeoutMs)
      // The value itself: its session may be gone again when the listeners have been told of it.
      return value
    } finally {
      events.flush()
    }
  }

  /** Assigns the value of the live session of an id, which is touched; else creates a session of it. */
  set(id: string, value: T, timeoutMs: number | undefined): void {
    const { archiver, events, shutdown } = this.#components
    // One that is over is let go, and its listeners may have brought the id back.
    const slot = this.touch(id)
    if (slot !== noSlot) {
      this.table.assign(slot, value)
      return
    }
    if (shutdown !== undefined) throw closedError()
    if (archiver.has(id)) throw needsOpenError('is being archived')
    try {
      this.#createFrom(id, value, timeoutMs)
    } finally {
      events.flush()
    }
  }

  /** Creates a session of the value. A live one of the id ends with `'replaced'`, and so does one that is being archived. */
  replace(id: string, value: T, timeoutMs: number | undefined): void {
    const { archiver, events, shutdown } = this.#components
    const slot = this.table.find(checkId(id))
    if (shutdown !== undefined) throw closedError()
    try {
      if (slot === noSlot ? archiver.abandon(id, 'replaced') : this.#endAtOnce(slot, 'replaced')) {
        // Its place in memory is the new one's.
        this.lifecycle.create(detachString(id), value, this.clock.now(), timeoutMs)
      } else {
        this.#createFrom(id, value, timeoutMs)
      }
    } finally {
      events.flush()
    }
  }

  #createFrom(id: string, value: T, timeoutMs: number | undefined): void {
    const { capacity } = this.#components
    capacity.assertCanCreate()
    const now = this.clock.now()
    capacity.reserve(now)
    this.lifecycle.create(detachString(id), value, now, timeoutMs)
  }

  /** Ends a session, its archive, or its load. Returns whether there was one: live, or still to be archived. */
  delete(id: string): boolean {
    const slot = this.table.find(id)
    if (slot !== noSlot) return this.#endAtOnce(slot, 'deleted')
    const { archiver, loader } = this.#components
    return archiver.abandon(id, 'deleted') || loader.restart(id)
  }

  /**
   * Ends a session without archiving it. Returns whether it was there for this reason: one that expired before ends as
   * expired, unless it was still to be archived.
   */
  #endAtOnce(slot: Slot, reason: 'deleted' | 'replaced'): boolean {
    const isPresent = this.#hasArchive || this.#isLive(slot)
    this.lifecycle.end(slot, isPresent ? reason : this.table.expiryReason(slot))
    return isPresent
  }

  /** Ends all sessions as {@link delete} does. Returns how many there were. */
  clear(): number {
    const { archiver, loader } = this.#components
    let count = loader.restartAll()
    for (const id of archiver.ids()) if (archiver.abandon(id, 'deleted')) count += 1
    const now = this.clock.now()
    const isPresent = (slot: Slot) => this.#hasArchive || !this.table.isExpired(slot, now)
    this.table.drainAll((slot) => {
      const reason = isPresent(slot) ? 'deleted' : this.table.expiryReason(slot)
      if (reason === 'deleted') count += 1
      this.lifecycle.end(slot, reason, now)
    })
    return count
  }

  /** The live sessions as they are at the first step; one that has ended meanwhile is passed over. */
  *iterate(): Generator<Slot, void, undefined> {
    const table = this.table
    const slots = table.snapshot()
    const generations = slots.map((slot) => table.generation(slot))
    for (const [at, slot] of slots.entries()) {
      if (table.generation(slot) === generations[at] && this.#isLive(slot)) yield slot
    }
  }

  #isLive(slot: Slot): boolean {
    return !this.table.isExpired(slot, this.clock.now())
  }

  #isRestricted(): boolean {
    return this.blockers.has(creationRestricted | archivesInFlight)
  }

  #assertCanCreate(id: string): void {
    if (this.#components.shutdown !== undefined) throw closedError()
    if (this.#components.archiver.has(id)) throw needsOpenError('is being archived')
    if (this.#hasLoad) throw needsOpenError('may have to be loaded')
  }
}

/** Up to how many sessions in the `Map` a cap need not be asked: all of them where there is none. */
function fastPathLimitOf(maxSessions: number): number {
  if (maxSessions === Number.POSITIVE_INFINITY) return maxInMap + 1
  // Beyond that sessions are elsewhere as well, so a larger cap is asked each time.
  return maxSessions <= maxInMap ? maxSessions : 0
}
