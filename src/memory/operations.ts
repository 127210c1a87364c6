import { LazySignal } from '../core/async/hook-call.ts'
import { isThenable } from '../core/async/is-thenable.ts'
import { closedError, needsOpenError, noFactoryError } from '../core/errors/turn-errors.ts'
import type { Step } from '../core/events/step.ts'
import type { CreateSession } from '../core/hooks.ts'
import { detachString } from '../core/ids/detach-string.ts'
import type { CheckedCreate } from '../core/options/call-options.ts'
import { checkId } from '../core/options/validate.ts'
import type { Counters } from '../core/stats.ts'
import type { FullClock } from '../core/time/clock.ts'
import type { Trace } from '../core/watching/trace.ts'
import { Admission } from './admission.ts'
import type { FastCreate } from './fast-path/create.ts'
import type { Lifecycle, SessionOrigin } from './lifecycle.ts'
import type { AdoptOptions } from './maker.ts'
import type { ResolvedOptions } from './options.ts'
import { Removal } from './removal.ts'
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
  declare private readonly fastCreate: FastCreate<T>
  declare private readonly step: Step
  declare private readonly copiesIds: boolean
  declare private readonly waitsForRoom: boolean
  readonly #disposes: boolean
  readonly admission: Admission<T>
  readonly removal: Removal<T>

  constructor(components: Components<T>, fastCreate: FastCreate<T>, options: ResolvedOptions<T>) {
    this.#components = components
    this.table = components.table
    this.lifecycle = components.lifecycle
    this.clock = components.lifecycle.clock
    this.counters = components.counters
    this.fastCreate = fastCreate
    this.step = components.step
    this.copiesIds = options.copyIds
    this.admission = new Admission(components, options)
    this.#disposes = options.dispose !== undefined
    this.waitsForRoom = components.capacity.frees === 'later'
    this.removal = new Removal(components, options)
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
    return slot !== noSlot && this.isLive(slot) ? slot : noSlot
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
  getOrCreate(id: string, create: CreateSession<T> | undefined, options: CheckedCreate): T {
    this.admission.assertOwner(id, options.owner)
    const slot = this.touch(id)
    if (slot !== noSlot) {
      this.counters.hits += 1
      return this.table.valueOf(slot)
    }
    return this.create(id, create, options)
  }

  /**
   * Creates a session of an id that has none, and returns its value. Where sessions end at once, none is
   * evicted before the factory has returned; elsewhere there is a place before it is called.
   */
  create(id: string, create: CreateSession<T> | undefined, options: CheckedCreate): T {
    checkId(id)
    const { timeoutMs, owner } = options
    const { counters } = this
    counters.misses += 1
    const createdBefore = counters.created
    const isFast =
      create !== undefined &&
      timeoutMs === undefined &&
      this.fastCreate.isAllowed() &&
      this.admission.hasOwnerRoom(owner)
    const factory = isFast ? create : this.#assertCanCreate(id, create, options)
    // A listener of a session that was removed to make room may have created the id.
    const slot = counters.created === createdBefore ? noSlot : this.touch(id)
    if (slot !== noSlot) return this.#valueFor(slot, owner)
    const signal = new LazySignal()
    const trace = isFast ? undefined : this.step.channels.trace('create', id, () => ({}))
    const value = isFast ? factory(id, signal) : this.#callFactory(id, factory, signal, trace)
    if (isThenable(value)) return this.#adoptPromise(id, value, { signal, timeoutMs, owner, trace })
    const hasCreated = counters.created !== createdBefore
    const ownId = this.copiesIds ? detachString(id) : id
    if (isFast && !hasCreated && this.fastCreate.tryInsert(ownId, value, owner)) return value
    return this.#adopt(ownId, value, options, hasCreated)
  }

  #callFactory(
    id: string,
    factory: CreateSession<T>,
    signal: LazySignal,
    trace: Trace | undefined,
  ): T | PromiseLike<T> {
    const call = () => (this.waitsForRoom ? this.#makeInPlace(id, factory, signal) : factory(id, signal))
    return trace === undefined ? call() : trace.call(call, true)
  }

  /** Calls a factory whose value has its place before. */
  #makeInPlace(id: string, factory: CreateSession<T>, signal: LazySignal): T | PromiseLike<T> {
    const { capacity } = this.#components
    capacity.startMaking()
    try {
      return factory(id, signal)
    } finally {
      capacity.endMaking()
    }
  }

  /** Goes on with a promise as `open` does, and throws, since the call cannot wait for it. */
  #adoptPromise(id: string, promise: PromiseLike<T>, options: AdoptOptions): T {
    const { capacity, gate, loader, ownerLimit } = this.#components
    if (this.table.find(id) === noSlot) capacity.adoptMaking()
    else capacity.startMaking()
    ownerLimit.countAway(options.owner, 1)
    loader.adopt(id, promise, options)
    // The first session that was created in the factory wins.
    const slot = this.table.find(id)
    if (slot !== noSlot) {
      this.step.run(() => loader.onCreated(id, slot))
      return this.#valueFor(slot, options.owner)
    }
    if (!gate.isOpen) loader.rejectAll(closedError())
    gate.assertOpen()
    throw needsOpenError('is being created')
  }

  /** Creates a session with the value of a factory. `hasCreated`: the factory has created sessions. */
  #adopt(id: string, value: T, options: CheckedCreate, hasCreated: boolean): T {
    // The first session that was created in the factory wins.
    const slot = hasCreated ? this.touch(id) : noSlot
    if (slot !== noSlot) {
      this.#components.disposer?.discard(id, value, 'replaced')
      return this.#valueFor(slot, options.owner)
    }
    try {
      this.step.run(() => {
        if (this.admission.isRestricted()) this.admission.assertUnrestricted(id)
        this.#insert(id, value, options)
      })
    } catch (error) {
      // The factory has closed the registry, or taken the place.
      this.#components.disposer?.discard(id, value, this.#components.gate.isOpen ? 'replaced' : 'closed')
      throw error
    }
    // Not read from the slot: a listener may have ended the session.
    return value
  }

  /**
   * Assigns the value of the live session of an id, and touches it; else creates a session with the value.
   */
  set(id: string, value: T, options: CheckedCreate): void {
    this.lifecycle.checkTimeout(options.timeoutMs)
    this.admission.assertOwner(id, options.owner)
    const slot = this.touch(id)
    if (slot !== noSlot) {
      this.table.assign(slot, value)
      return
    }
    this.#components.gate.assertOpen()
    this.admission.assertIdFree(id)
    this.admission.assertOwnerKnown(options.owner)
    if (this.waitsForRoom) {
      this.admission.assertRoom(options.owner)
      // A listener of a session that was removed to make room may have created the id.
      const created = this.touch(id)
      if (created !== noSlot) {
        this.admission.assertOwns(created, options.owner)
        this.table.assign(created, value)
        return
      }
    }
    this.step.run(() => this.#createWithValue(id, value, options))
  }

  /**
   * Creates a session with the value. A live one of the id ends with `'replaced'`, and so does one that is
   * being archived.
   */
  replace(id: string, value: T, options: CheckedCreate): void {
    const { timeoutMs, owner } = options
    const { archiver, capacity, gate, ownerLimit } = this.#components
    this.lifecycle.checkTimeout(timeoutMs)
    gate.assertOpen()
    this.admission.assertReplaces(id, owner)
    const replaced = this.table.find(checkId(id))
    if (this.#disposes) {
      // The old value needs its places until it is disposed of.
      ownerLimit.assertCanCreate(owner, capacity.frees, replaced)
      capacity.assertCanCreate(replaced)
    }
    const slot = this.table.find(id)
    this.step.run(() => {
      if (slot === noSlot ? archiver.abandon(id, 'replaced') : this.removal.endAtOnce(slot, 'replaced')) {
        // The new session takes the place of the old one.
        this.lifecycle.create(detachString(id), value, this.clock.now(), timeoutMs, originOf(owner))
      } else {
        this.#createWithValue(id, value, options)
      }
    })
  }

  #createWithValue(id: string, value: T, options: CheckedCreate): void {
    this.admission.assertRoom(options.owner)
    this.#insert(detachString(id), value, options)
  }

  #insert(id: string, value: T, { timeoutMs, owner }: CheckedCreate): void {
    const now = this.clock.now()
    this.#components.ownerLimit.reserve(owner)
    this.#components.capacity.reserve(now)
    this.lifecycle.create(id, value, now, timeoutMs, originOf(owner))
  }

  #valueFor(slot: Slot, owner: string | undefined): T {
    this.admission.assertOwns(slot, owner)
    return this.table.valueOf(slot)
  }

  /** The live sessions as they are at the first `next()`. One that has ended meanwhile is skipped. */
  *iterate(): Generator<Slot, void, undefined> {
    const table = this.table
    const slots = table.snapshot()
    const generations = slots.map((slot) => table.generation(slot))
    for (const [at, slot] of slots.entries()) {
      if (table.generation(slot) === generations[at] && this.isLive(slot)) yield slot
    }
  }

  isLive(slot: Slot): boolean {
    return !this.table.isExpired(slot, this.clock.now())
  }

  #assertCanCreate(
    id: string,
    create: CreateSession<T> | undefined,
    { owner }: CheckedCreate,
  ): CreateSession<T> {
    if (this.admission.isRestricted()) this.admission.assertUnrestricted(id)
    if (create === undefined) throw noFactoryError()
    this.admission.assertRoom(owner)
    return create
  }
}

function originOf(owner: string | undefined): SessionOrigin | undefined {
  return owner === undefined ? undefined : { isLoaded: false, stored: undefined, owner }
}
