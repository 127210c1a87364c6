import { AsyncResource } from 'node:async_hooks'
import { type Concerns, idIsAwaited } from '../core/concerns.ts'
import type { SessionRegistryError } from '../core/errors.ts'
import type { CreateSession, LoadSession } from '../core/hooks.ts'
import { LoadCall, type LoadHost } from '../core/load-call.ts'
import { ownString } from '../core/own-string.ts'
import type { PendingWork } from '../core/pending-work.ts'
import { endedDuring, noFactory } from '../core/refusals.ts'
import { findScope } from '../core/turn-scope.ts'
import type { Archiver } from './archiver.ts'
import type { Lifecycle } from './lifecycle.ts'
import { dismiss, Opening, type Opens, runIn } from './opening.ts'
import type { Room, RoomWaiter } from './room.ts'
import { noSlot } from './table/slot-page.ts'

export interface OpenerParts<T> {
  readonly owner: object
  readonly lifecycle: Lifecycle<T>
  readonly archiver: Archiver<T>
  readonly room: Room<T>
  readonly concerns: Concerns
  readonly pending: PendingWork
}

/**
 * Brings sessions into memory for those who can wait: after the archive of the id's last life has settled, by one
 * `load` that all share, or by the factory; and when there is room.
 */
export class Opener<T> {
  readonly #parts: OpenerParts<T>
  readonly #create: CreateSession<T> | undefined
  /** `undefined` where nothing is loaded. */
  readonly #loads: LoadHost<T> | undefined
  readonly #openings = new Map<string, Opening<T>>()
  /** Calls of the hook that have not settled, those that count no more included. */
  readonly #calls = new Set<LoadCall<T>>()

  constructor(
    parts: OpenerParts<T>,
    hooks: {
      readonly create: CreateSession<T> | undefined
      readonly load: LoadSession<T> | undefined
      readonly loadTimeoutMs: number
    },
  ) {
    this.#parts = parts
    this.#create = hooks.create
    const { load, loadTimeoutMs } = hooks
    const { owner, lifecycle, pending } = parts
    const { announcer, clock } = lifecycle
    this.#loads = load === undefined ? undefined : { owner, announcer, clock, pending, load, loadTimeoutMs }
  }

  /** Calls the waiter back, at once where nothing has to be waited for. */
  open(id: string, waiter: Opens<T>): void {
    const present = this.#openings.get(id)
    const opening = present ?? this.#begin(id)
    waiter.place = opening.waiters.push(waiter)
    if (present === undefined) this.#advance(opening)
    if (!opening.isOver) waiter.context ??= new AsyncResource('SessionOpening')
  }

  /** Those who waited for their turn on a session that was ended: they begin again when the present step is done. */
  reopen(id: string, waiters: readonly Opens<T>[]): void {
    if (waiters.length === 0) return
    const present = this.#openings.get(id)
    const opening = present ?? this.#begin(id)
    for (const waiter of waiters) waiter.place = opening.waiters.push(waiter)
    if (present === undefined) this.#goOnLater(opening)
  }

  /**
   * The id has come to life in another way, by `set` for one. Those who wait take hold of it in the same step, so that it
   * cannot end before they are served; they go on when that step is done.
   */
  arrived(id: string, slot: number): void {
    const opening = this.#openings.get(id)
    if (opening === undefined) return
    this.#end(opening)
    const waiters = opening.waiters.takeAll()
    for (const waiter of waiters) waiter.attach(slot)
    queueMicrotask(() => {
      for (const waiter of waiters) waiter.begin()
      this.#parts.lifecycle.announcer.deliver()
    })
  }

  /**
   * The id was deleted: what comes of its load or its factory is dropped, and those who wait open it anew. Returns whether
   * something was under way.
   */
  restart(id: string): boolean {
    const opening = this.#openings.get(id)
    return opening !== undefined && this.#restart(opening)
  }

  /** {@link restart} of every id. Returns how many there were. */
  restartAll(): number {
    let count = 0
    for (const opening of this.#openings.values()) if (this.#restart(opening)) count += 1
    return count
  }

  /** Takes a waiter out. When the last one has left, the load is aborted: the next caller begins its own. */
  leave(id: string, waiter: Opens<T>): void {
    if (waiter.place?.remove() !== true) return
    const opening = this.#openings.get(id)
    if (opening?.waiters.size === 0) this.#end(opening)
  }

  refuseAll(error: SessionRegistryError): void {
    for (const opening of [...this.#openings.values()]) this.#fail(opening, error)
    for (const call of this.#calls) call.finish()
    this.#calls.clear()
  }

  #begin(id: string): Opening<T> {
    const opening = new Opening<T>(id)
    this.#openings.set(id, opening)
    this.#parts.concerns.raise(idIsAwaited)
    this.#parts.pending.begin()
    return opening
  }

  #end(opening: Opening<T>, reason?: unknown): void {
    if (opening.isOver) return
    opening.isOver = true
    opening.stop?.(reason)
    this.#openings.delete(opening.id)
    if (this.#openings.size === 0) this.#parts.concerns.settle(idIsAwaited)
    this.#parts.pending.end()
  }

  #restart(opening: Opening<T>): boolean {
    const { id, load } = opening
    if (load === undefined && opening.value === undefined) return false
    // A hook that deletes its own id would be called again and again.
    if (load !== undefined && findScope(this.#parts.owner, id) === load.hook) return false
    opening.stop?.(endedDuring('load', 'deleted'))
    opening.load = undefined
    opening.value = undefined
    opening.isLooked = false
    this.#goOnLater(opening)
    return true
  }

  /** Later, since it goes on to call the user's code. */
  #goOnLater(opening: Opening<T>): void {
    const wait = () => {}
    opening.stop = wait
    queueMicrotask(() => {
      if (opening.stop === wait) this.#goOn(opening)
    })
  }

  /** After a wait, in the async context of the call that has waited the longest. */
  #goOn(opening: Opening<T>): void {
    opening.stop = undefined
    runIn(opening.waiters.first?.context, () => {
      this.#advance(opening)
      this.#parts.lifecycle.announcer.deliver()
    })
  }

  #advance(opening: Opening<T>): void {
    if (opening.isOver || opening.stop !== undefined) return
    const { id } = opening
    const { lifecycle, archiver } = this.#parts
    const slot = lifecycle.live(id)
    if (slot !== noSlot) this.#admit(opening, slot)
    else if (archiver.has(id)) opening.stop = archiver.whenSettled(id, () => this.#goOn(opening))
    else if (this.#loads !== undefined && !opening.isLooked) this.#callLoad(opening, this.#loads)
    else if (opening.value === undefined) this.#makeValue(opening)
    else this.#takeRoom(opening)
  }

  #callLoad(opening: Opening<T>, host: LoadHost<T>): void {
    opening.isLooked = true
    const call = new LoadCall<T>(host, opening.id, {
      loaded: (value) => {
        opening.load = undefined
        if (value !== undefined) opening.value = { of: value, isLoaded: true }
        this.#goOn(opening)
      },
      failed: (error) => {
        this.#fail(opening, error)
        host.announcer.deliver()
      },
      finished: () => this.#calls.delete(call),
    })
    this.#calls.add(call)
    opening.load = call
    opening.stop = (reason) => call.abort(reason)
    call.start()
  }

  #makeValue(opening: Opening<T>): void {
    for (const waiter of opening.waiters) if (waiter.create === false) dismiss(waiter, () => waiter.absent())
    try {
      while (opening.waiters.size > 0 && opening.value === undefined && !opening.isOver) {
        this.#parts.room.checkPossible()
        this.#callFactory(opening)
      }
    } catch (error) {
      this.#fail(opening, error)
    }
    if (opening.waiters.size === 0) this.#end(opening)
    else this.#advance(opening)
  }

  /** Of those who wait, the first who has a factory makes the value. If it throws, those who have another go on. */
  #callFactory(opening: Opening<T>): void {
    const { id, waiters } = opening
    const { first } = waiters
    const maker =
      this.#factoryOf(first) === undefined ? [...waiters].find((one) => this.#factoryOf(one)) : first
    const create = this.#factoryOf(maker)
    if (maker === undefined || create === undefined) throw noFactory()
    try {
      opening.value = { of: runIn(maker.context, () => create(id)), isLoaded: false }
    } catch (error) {
      // A call's own factory is no matter of the others; the registry's is that of all who brought none.
      const isOwn = typeof maker.create === 'function'
      for (const waiter of isOwn ? [maker] : waiters) {
        if (isOwn || typeof waiter.create !== 'function') dismiss(waiter, () => waiter.fail(error))
      }
    }
  }

  #factoryOf(waiter: Opens<T> | undefined): CreateSession<T> | undefined {
    if (waiter === undefined) return undefined
    return typeof waiter.create === 'function' ? waiter.create : this.#create
  }

  #takeRoom(opening: Opening<T>): void {
    const { room } = this.#parts
    const waiter: RoomWaiter = {
      grant: () => {
        opening.stop = undefined
        runIn(opening.waiters.first?.context, () => this.#make(opening))
      },
      refuse: (error) => this.#fail(opening, error),
    }
    opening.stop = () => room.leave(waiter)
    room.request(waiter)
  }

  /** Creates the session; there is room for it. */
  #make(opening: Opening<T>): void {
    const { id, value } = opening
    if (opening.isOver || value === undefined) return
    // Out of the way first: the session's arrival is told by the steps below.
    this.#end(opening)
    // Functions that have captured the opening are on the stack of the turns that begin now, and an error keeps them.
    opening.value = undefined
    const { lifecycle } = this.#parts
    const now = lifecycle.clock.now()
    this.#admit(opening, lifecycle.create(ownString(id), value.of, now, undefined, value.isLoaded))
  }

  #admit(opening: Opening<T>, slot: number): void {
    this.#end(opening)
    const waiters = opening.waiters.takeAll()
    for (const waiter of waiters) waiter.attach(slot)
    this.#parts.lifecycle.announcer.deliver()
    for (const waiter of waiters) waiter.begin()
  }

  #fail(opening: Opening<T>, error: unknown): void {
    this.#end(opening, error)
    for (const waiter of opening.waiters.takeAll()) waiter.fail(error)
  }
}
