import { AsyncResource } from 'node:async_hooks'
import { type Concerns, idIsAwaited } from '../core/concerns.ts'
import type { SessionRegistryError } from '../core/errors.ts'
import type { CreateSession, LoadSession } from '../core/hooks.ts'
import { noFactory } from '../core/refusals.ts'
import { HookCall, runInScope } from '../core/turn-scope.ts'
import type { Archiver } from './archiver.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Room, RoomWaiter } from './room.ts'
import { noSlot } from './table/slot-page.ts'

/** Somebody who needs a session in memory: a call of `open`, or a turn. */
export interface Opens<T> {
  /** Whether a session is to be made where there is none, or what makes its value instead of the registry's `create`. */
  readonly create: boolean | CreateSession<T>
  /** Takes the session, in the very step in which it is in memory: nothing can end it in between. */
  attach(slot: number): void
  /** Called after everybody has attached and `created` was told. */
  begin(): void
  /** There is no session, and none is to be made. */
  absent(): void
  fail(error: unknown): void
}

/** What is under way to bring one id into memory, and who waits for it. */
class Opening<T> {
  readonly id: string
  waiters: Opens<T>[] = []
  readonly loading = new AbortController()
  /** What `load` or the factory gave; it waits for room. */
  value: { readonly of: T; readonly isLoaded: boolean } | undefined = undefined
  isLooked = false
  isOver = false
  inLine: RoomWaiter | undefined = undefined
  /** Takes back the wait for an archive. */
  leaveArchive: (() => void) | undefined = undefined
  context: AsyncResource | undefined = undefined

  constructor(id: string) {
    this.id = id
  }
}

/**
 * Brings sessions into memory for those who can wait: after the archive of the id's last life has settled, by one
 * `load` that all share, or by the factory; and when there is room.
 */
export class Opener<T> {
  readonly #owner: object
  readonly #lifecycle: Lifecycle<T>
  readonly #archiver: Archiver<T>
  readonly #room: Room<T>
  readonly #concerns: Concerns
  readonly #create: CreateSession<T> | undefined
  readonly #load: LoadSession<T> | undefined
  readonly #openings = new Map<string, Opening<T>>()

  constructor(
    owner: object,
    lifecycle: Lifecycle<T>,
    archiver: Archiver<T>,
    room: Room<T>,
    concerns: Concerns,
    hooks: { readonly create: CreateSession<T> | undefined; readonly load: LoadSession<T> | undefined },
  ) {
    this.#owner = owner
    this.#lifecycle = lifecycle
    this.#archiver = archiver
    this.#room = room
    this.#concerns = concerns
    this.#create = hooks.create
    this.#load = hooks.load
  }

  /** Calls the waiter back, at once where nothing has to be waited for. */
  open(id: string, waiter: Opens<T>): void {
    const present = this.#openings.get(id)
    if (present !== undefined) {
      present.waiters.push(waiter)
      return
    }
    const opening = this.#begin(id)
    opening.waiters.push(waiter)
    this.#advance(opening)
    // What happens later goes on in the async context of the one who asked first.
    if (!opening.isOver) opening.context = new AsyncResource('SessionOpening')
  }

  /** Those who waited for their turn on a session that was ended: they begin again when the present step is done. */
  reopen(id: string, waiters: Opens<T>[], context: AsyncResource | undefined): void {
    if (waiters.length === 0) return
    const opening = this.#begin(id)
    opening.waiters = waiters
    opening.context = context
    queueMicrotask(() => this.#resume(opening))
  }

  /**
   * The id has come to life in another way, by `set` for one. Those who wait take hold of it in the same step, so that it
   * cannot end before they are served; they go on when that step is done.
   */
  arrived(id: string, slot: number): void {
    const opening = this.#openings.get(id)
    if (opening === undefined) return
    this.#end(opening)
    this.#lifecycle.announcer.defer(() => opening.loading.abort())
    for (const waiter of opening.waiters) waiter.attach(slot)
    queueMicrotask(() => {
      for (const waiter of opening.waiters) waiter.begin()
      this.#lifecycle.announcer.deliver()
    })
  }

  /** Takes back a waiter that has lost patience. A load that nobody waits for any more is aborted. */
  leave(id: string, waiter: Opens<T>): void {
    const opening = this.#openings.get(id)
    const index = opening?.waiters.indexOf(waiter) ?? -1
    if (opening === undefined || index < 0) return
    opening.waiters.splice(index, 1)
    if (opening.waiters.length > 0) return
    this.#end(opening)
    this.#lifecycle.announcer.defer(() => opening.loading.abort())
  }

  refuseAll(error: SessionRegistryError): void {
    for (const opening of [...this.#openings.values()]) {
      this.#fail(opening, error)
      this.#lifecycle.announcer.defer(() => opening.loading.abort(error))
    }
  }

  #begin(id: string): Opening<T> {
    const opening = new Opening<T>(id)
    this.#openings.set(id, opening)
    this.#concerns.raise(idIsAwaited)
    return opening
  }

  #end(opening: Opening<T>): void {
    opening.isOver = true
    if (opening.inLine !== undefined) this.#room.leave(opening.inLine)
    opening.leaveArchive?.()
    this.#openings.delete(opening.id)
    if (this.#openings.size === 0) this.#concerns.settle(idIsAwaited)
  }

  /** Goes on later: after an archive, a load, a wait for room. */
  #resume(opening: Opening<T>): void {
    this.#inContext(opening, () => {
      this.#advance(opening)
      this.#lifecycle.announcer.deliver()
    })
  }

  #inContext(opening: Opening<T>, step: () => void): void {
    if (opening.context === undefined) step()
    else opening.context.runInAsyncScope(step)
  }

  #advance(opening: Opening<T>): void {
    if (opening.isOver) return
    const { id } = opening
    const slot = this.#lifecycle.live(id)
    if (slot !== noSlot) {
      this.#admit(opening, slot)
    } else if (this.#archiver.has(id)) {
      opening.leaveArchive = this.#archiver.whenSettled(id, () => this.#resume(opening))
    } else if (this.#load !== undefined && !opening.isLooked) {
      this.#callLoad(opening, this.#load)
    } else {
      this.#makeRoom(opening)
    }
  }

  #callLoad(opening: Opening<T>, load: LoadSession<T>): void {
    const { id, loading } = opening
    opening.isLooked = true
    const call = new HookCall()
    let loaded: Promise<T | undefined>
    try {
      loaded = Promise.resolve(runInScope(this.#owner, id, call, () => load(id, { signal: loading.signal })))
    } catch (error) {
      loaded = Promise.reject(error)
    }
    loaded.then(
      (value) => {
        call.isOver = true
        if (opening.isOver) return
        if (value !== undefined) opening.value = { of: value, isLoaded: true }
        this.#resume(opening)
      },
      (error) => {
        call.isOver = true
        if (!opening.isOver) this.#fail(opening, error)
        this.#lifecycle.announcer.deliver()
      },
    )
  }

  #makeRoom(opening: Opening<T>): void {
    if (opening.value === undefined) {
      // The factory first: one that throws must not have evicted anybody.
      this.#makeValue(opening)
      return
    }
    opening.inLine = {
      grant: () => {
        opening.inLine = undefined
        this.#inContext(opening, () => this.#make(opening))
      },
      refuse: (error) => this.#fail(opening, error),
    }
    this.#room.request(opening.inLine)
  }

  #makeValue(opening: Opening<T>): void {
    const { waiters } = opening
    opening.waiters = waiters.filter(({ create }) => create !== false)
    for (const waiter of waiters) if (waiter.create === false) waiter.absent()
    if (opening.waiters.length === 0) {
      this.#end(opening)
      return
    }
    try {
      this.#room.checkPossible()
      const create = this.#factoryFor(opening.waiters)
      if (create === undefined) throw noFactory()
      opening.value = { of: create(opening.id), isLoaded: false }
    } catch (error) {
      this.#fail(opening, error)
      return
    }
    this.#advance(opening)
  }

  /** The factory of the first who has one; a call's own comes before the registry's. */
  #factoryFor(waiters: readonly Opens<T>[]): CreateSession<T> | undefined {
    for (const { create } of waiters) {
      const factory = typeof create === 'function' ? create : this.#create
      if (factory !== undefined) return factory
    }
    return undefined
  }

  /** Creates the session; there is room for it. */
  #make(opening: Opening<T>): void {
    const { id, value } = opening
    if (opening.isOver || value === undefined) return
    // Out of the way first: the session's arrival is told by the steps below.
    this.#end(opening)
    const now = this.#lifecycle.clock.now()
    this.#admit(opening, this.#lifecycle.create(id, value.of, now, undefined, value.isLoaded))
  }

  #admit(opening: Opening<T>, slot: number): void {
    if (!opening.isOver) this.#end(opening)
    for (const waiter of opening.waiters) waiter.attach(slot)
    this.#lifecycle.announcer.deliver()
    for (const waiter of opening.waiters) waiter.begin()
  }

  #fail(opening: Opening<T>, error: unknown): void {
    this.#end(opening)
    for (const waiter of opening.waiters) waiter.fail(error)
  }
}
