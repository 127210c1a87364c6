import { needsOpenError, noFactoryError } from '../core/errors/turn-errors.ts'
import type { Step } from '../core/events/step.ts'
import type { CreateSession } from '../core/hooks.ts'
import { detachString } from '../core/ids/detach-string.ts'
import { checkId } from '../core/options/validate.ts'
import type { Counters } from '../core/stats.ts'
import type { FullClock } from '../core/time/clock.ts'
import { archivesInFlight, creationRestricted, type FastPathBlockers } from './fast-path/blockers.ts'
import type { FastCreate } from './fast-path/create.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { ResolvedOptions } from './options.ts'
import type { Sessions } from './session/sessions.ts'
import { noSlot, type Slot } from './table/session-table.ts'
import type { Components } from './wiring.ts'

/** Reads and writes outside of turns. A factory of the user is called between two steps, never in one. */
export class Operations<T> {
  readonly #components: Components<T>
  // Declared only, and not `#private`: V8 then knows their types from the first use.
  declare private readonly table: Sessions<T>
  declare private readonly lifecycle: Lifecycle<T>
  declare private readonly clock: FullClock
  declare private readonly counters: Counters
  declare private readonly blockers: FastPathBlockers
  declare private readonly fastCreate: FastCreate<T>
  declare private readonly step: Step
  declare private readonly copiesIds: boolean
  readonly #isStored: boolean
  readonly #hasLoad: boolean
  readonly #hasArchive: boolean

  constructor(components: Components<T>, fastCreate: FastCreate<T>, options: ResolvedOptions<T>) {
    this.#components = components
    this.table = components.table
    this.lifecycle = components.lifecycle
    this.clock = components.lifecycle.clock
    this.counters = components.counters
    this.blockers = components.blockers
    this.fastCreate = fastCreate
    this.step = components.step
    this.copiesIds = options.copyIds
    this.#isStored = options.storage !== undefined
    this.#hasLoad = this.#isStored || options.load !== undefined
    this.#hasArchive = this.#isStored || options.archive !== undefined
  }

  /** Touches the live session of an id and returns its slot, or `noSlot`. An expired session is retired. */
  touch(id: string): Slot {
    const slot = this.table.find(id)
    if (slot === noSlot) {
      checkId(id)
      return noSlot
    }
    if (this.table.touchLive(slot, this.clock.now())) return slot
    this.step.run(() => this.lifecycle.expire(slot))
    // A listener may have created the id again.
    return this.peekLive(id)
  }

  /** Returns the slot of the live session of an id, or `noSlot`, and changes nothing. */
  peekLive(id: string): Slot {
    const slot = this.table.find(checkId(id))
    return slot !== noSlot && this.#isLive(slot) ? slot : noSlot
  }

  /** Touches the live session of an id and returns its value. */
  get(id: string): T | undefined {
    const slot = this.touch(id)
    if (slot === noSlot) {
      this.counters.misses += 1
      return undefined
    }
    this.counters.hits += 1
    return this.table.valueOf(slot)
  }

  /** Returns the value of the live session of an id, touched, or of a new one. */
  getOrCreate(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): T {
    const slot = this.touch(id)
    if (slot !== noSlot) {
      this.counters.hits += 1
      return this.table.valueOf(slot)
    }
    return this.create(id, create, timeoutMs)
  }

  /**
   * Creates a session of an id that has none, and returns its value. No session is evicted before the factory
   * has returned.
   */
  create(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): T {
    checkId(id)
    const { counters } = this
    counters.misses += 1
    const createdBefore = counters.created
    const isFast = create !== undefined && timeoutMs === undefined && this.fastCreate.isAllowed()
    const factory = isFast ? create : this.#assertCanCreate(id, create)
    // A listener of a session that was removed to make room may have created the id.
    const slot = counters.created === createdBefore ? noSlot : this.touch(id)
    if (slot !== noSlot) return this.table.valueOf(slot)
    const value = factory(id)
    const hasCreated = counters.created !== createdBefore
    const ownId = this.copiesIds ? detachString(id) : id
    if (isFast && !hasCreated && this.fastCreate.tryInsert(ownId, value)) return value
    return this.#adopt(ownId, value, timeoutMs, hasCreated)
  }

  /** Creates a session with the value of a factory. `hasCreated`: the factory has created sessions. */
  #adopt(id: string, value: T, timeoutMs: number | undefined, hasCreated: boolean): T {
    // The first session that was created in the factory wins.
    const slot = hasCreated ? this.touch(id) : noSlot
    if (slot !== noSlot) return this.table.valueOf(slot)
    this.step.run(() => {
      if (this.#isRestricted()) this.#assertUnrestricted(id)
      this.#insert(id, value, timeoutMs)
    })
    // Not read from the slot: a listener may have ended the session.
    return value
  }

  /**
   * Assigns the value of the live session of an id, and touches it; else creates a session with the value.
   */
  set(id: string, value: T, timeoutMs: number | undefined): void {
    this.lifecycle.checkTimeout(timeoutMs)
    const slot = this.touch(id)
    if (slot !== noSlot) {
      this.table.assign(slot, value)
      return
    }
    const { archiver, gate } = this.#components
    gate.assertOpen()
    if (archiver.has(id)) throw needsOpenError('is being archived')
    this.step.run(() => this.#createWithValue(id, value, timeoutMs))
  }

  /**
   * Creates a session with the value. A live one of the id ends with `'replaced'`, and so does one that is
   * being archived.
   */
  replace(id: string, value: T, timeoutMs: number | undefined): void {
    const { archiver, gate } = this.#components
    this.lifecycle.checkTimeout(timeoutMs)
    const slot = this.table.find(checkId(id))
    gate.assertOpen()
    this.step.run(() => {
      if (slot === noSlot ? archiver.abandon(id, 'replaced') : this.#endAtOnce(slot, 'replaced')) {
        // The new session takes the place of the old one.
        this.lifecycle.create(detachString(id), value, this.clock.now(), timeoutMs)
      } else {
        this.#createWithValue(id, value, timeoutMs)
      }
    })
  }

  #createWithValue(id: string, value: T, timeoutMs: number | undefined): void {
    this.#components.capacity.assertCanCreate()
    this.#insert(detachString(id), value, timeoutMs)
  }

  #insert(id: string, value: T, timeoutMs: number | undefined): void {
    const now = this.clock.now()
    this.#components.capacity.reserve(now)
    this.lifecycle.create(id, value, now, timeoutMs)
  }

  /**
   * Ends a session, its archive, or its load. Returns whether there was one: a live session, one that was
   * still to be archived, or a load.
   */
  delete(id: string): boolean {
    const slot = this.table.find(id)
    if (slot !== noSlot && !this.#isStored) return this.step.run(() => this.#endAtOnce(slot, 'deleted'))
    return this.step.run(() => this.#delete(id, slot))
  }

  #delete(id: string, slot: Slot): boolean {
    const { archiver, loader } = this.#components
    const wasPresent =
      slot === noSlot
        ? archiver.abandon(id, 'deleted') || loader.restart(id)
        : this.#endAtOnce(slot, 'deleted')
    this.#deleteStored(id)
    return wasPresent
  }

  /** Deletes a session from the store, if there is one: from the call on, its id is not read. */
  #deleteStored(id: string): void {
    const { storage } = this.#components
    if (storage === undefined || storage.isClosed) return
    storage.deletions.start(checkId(id))
  }

  /**
   * Ends a session without archiving it. Returns whether it ended for this reason: one that had expired
   * before ends as expired, unless it was still to be archived.
   */
  #endAtOnce(slot: Slot, reason: 'deleted' | 'replaced'): boolean {
    const isPresent = this.#hasArchive || this.#isLive(slot)
    this.lifecycle.end(slot, isPresent ? reason : this.table.expiryReason(slot))
    return isPresent
  }

  /** Ends all sessions as {@link delete} does. Returns how many there were. */
  clear(): number {
    return this.step.run(() => {
      const { archiver, loader } = this.#components
      const loading = loader.restartAll()
      let count = loading.length
      for (const id of loading) this.#deleteStored(id)
      for (const id of archiver.ids()) {
        this.#deleteStored(id)
        if (archiver.abandon(id, 'deleted')) count += 1
      }
      const now = this.clock.now()
      const isPresent = (slot: Slot) => this.#hasArchive || !this.table.isExpired(slot, now)
      this.table.drainAll((slot) => {
        const reason = isPresent(slot) ? 'deleted' : this.table.expiryReason(slot)
        if (reason === 'deleted') count += 1
        this.#deleteStored(this.table.idOf(slot))
        this.lifecycle.end(slot, reason, now)
      })
      return count
    })
  }

  /** The live sessions as they are at the first `next()`. One that has ended meanwhile is skipped. */
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

  #assertCanCreate(id: string, create: CreateSession<T> | undefined): CreateSession<T> {
    if (this.#isRestricted()) this.#assertUnrestricted(id)
    if (create === undefined) throw noFactoryError()
    this.#components.capacity.assertCanCreate()
    return create
  }

  #assertUnrestricted(id: string): void {
    this.#components.gate.assertOpen()
    if (this.#components.archiver.has(id)) throw needsOpenError('is being archived')
    if (this.#hasLoad) throw needsOpenError('may have to be loaded')
  }
}
