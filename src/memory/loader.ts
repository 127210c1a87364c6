import { AsyncResource } from 'node:async_hooks'
import { LoadCall, type LoadHost } from '../core/async/load-call.ts'
import type { PendingWork } from '../core/async/pending-work.ts'
import type { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { endedDuringError, noFactoryError } from '../core/errors/turn-errors.ts'
import { type FastPathBlockers, openPending } from '../core/events/fast-path-blockers.ts'
import type { CreateSession, LoadSession } from '../core/hooks.ts'
import { detachString } from '../core/ids/detach-string.ts'
import { findScope } from '../core/turns/turn-scope.ts'
import type { Archiver } from './archiving/archiver.ts'
import type { Capacity, CapacityRequest } from './capacity.ts'
import type { Lifecycle } from './lifecycle.ts'
import { dismiss, type OpenRequest, PendingOpen, runIn } from './pending-open.ts'
import { noSlot, type Slot } from './table/session-table.ts'

export interface LoaderComponents<T> {
  readonly owner: object
  readonly lifecycle: Lifecycle<T>
  readonly archiver: Archiver<T>
  readonly capacity: Capacity<T>
  readonly blockers: FastPathBlockers
  readonly pending: PendingWork
}

/**
 * Brings sessions into memory for those who can wait: after the archive of the id's last life has settled, by one
 * `load` that all share, or by the factory; and when there is room.
 */
export class SessionLoader<T> {
  readonly #components: LoaderComponents<T>
  readonly #defaultFactory: CreateSession<T> | undefined
  /** `undefined` where nothing is loaded. */
  readonly #loadHost: LoadHost<T> | undefined
  readonly #pendingOpens = new Map<string, PendingOpen<T>>()
  /** Calls of the hook that have not settled, those that count no more included. */
  readonly #calls = new Set<LoadCall<T>>()

  constructor(
    components: LoaderComponents<T>,
    hooks: {
      readonly create: CreateSession<T> | undefined
      readonly load: LoadSession<T> | undefined
      readonly loadTimeoutMs: number
    },
  ) {
    this.#components = components
    this.#defaultFactory = hooks.create
    const { load, loadTimeoutMs } = hooks
    const { owner, lifecycle, pending } = components
    const { events, clock } = lifecycle
    this.#loadHost = load === undefined ? undefined : { owner, events, clock, pending, load, loadTimeoutMs }
  }

  /** Calls the waiter back, at once where nothing has to be waited for. */
  open(id: string, request: OpenRequest<T>): void {
    const existing = this.#pendingOpens.get(id)
    const pendingOpen = existing ?? this.#begin(id)
    request.entry = pendingOpen.requests.push(request)
    if (existing === undefined) this.#advance(pendingOpen)
    if (!pendingOpen.isSettled) request.context ??= new AsyncResource('SessionOpening')
  }

  /** Those who waited for their turn on a session that was ended: they begin again when the present step is done. */
  reopen(id: string, requests: readonly OpenRequest<T>[]): void {
    if (requests.length === 0) return
    const existing = this.#pendingOpens.get(id)
    const pendingOpen = existing ?? this.#begin(id)
    for (const request of requests) request.entry = pendingOpen.requests.push(request)
    if (existing === undefined) this.#resumeLater(pendingOpen)
  }

  /**
   * The id has come to life in another way, by `set` for one. Those who wait take hold of it in the same step, so that it
   * cannot end before they are served; they go on when that step is done.
   */
  onCreated(id: string, slot: Slot): void {
    const pendingOpen = this.#pendingOpens.get(id)
    if (pendingOpen === undefined) return
    this.#end(pendingOpen)
    const requests = pendingOpen.requests.takeAll()
    for (const request of requests) request.onOpened(slot)
    queueMicrotask(() => {
      for (const request of requests) request.onReady()
      this.#components.lifecycle.events.flush()
    })
  }

  /**
   * The id was deleted: what comes of its load or its factory is dropped, and those who wait open it anew. Returns whether
   * something was under way.
   */
  restart(id: string): boolean {
    const pendingOpen = this.#pendingOpens.get(id)
    return pendingOpen !== undefined && this.#restart(pendingOpen)
  }

  /** {@link restart} of every id. Returns how many there were. */
  restartAll(): number {
    let count = 0
    for (const pendingOpen of this.#pendingOpens.values()) if (this.#restart(pendingOpen)) count += 1
    return count
  }

  /** Takes a waiter out. When the last one has left, the load is aborted: the next caller begins its own. */
  cancel(id: string, request: OpenRequest<T>): void {
    if (request.entry?.remove() !== true) return
    const pendingOpen = this.#pendingOpens.get(id)
    if (pendingOpen?.requests.size === 0) this.#end(pendingOpen)
  }

  rejectAll(error: SessionRegistryError): void {
    for (const pendingOpen of [...this.#pendingOpens.values()]) this.#fail(pendingOpen, error)
    for (const call of this.#calls) call.finish()
    this.#calls.clear()
  }

  #begin(id: string): PendingOpen<T> {
    const pendingOpen = new PendingOpen<T>(id)
    this.#pendingOpens.set(id, pendingOpen)
    this.#components.blockers.block(openPending)
    this.#components.pending.begin()
    return pendingOpen
  }

  #end(pendingOpen: PendingOpen<T>, reason?: unknown): void {
    if (pendingOpen.isSettled) return
    pendingOpen.isSettled = true
    pendingOpen.cancelWait?.(reason)
    this.#pendingOpens.delete(pendingOpen.id)
    if (this.#pendingOpens.size === 0) this.#components.blockers.unblock(openPending)
    this.#components.pending.end()
  }

  #restart(pendingOpen: PendingOpen<T>): boolean {
    const { id, load } = pendingOpen
    if (load === undefined && pendingOpen.result === undefined) return false
    // A hook that deletes its own id would be called again and again.
    if (load !== undefined && findScope(this.#components.owner, id) === load.hook) return false
    pendingOpen.cancelWait?.(endedDuringError('load', 'deleted'))
    pendingOpen.load = undefined
    pendingOpen.result = undefined
    pendingOpen.isLoadStarted = false
    this.#resumeLater(pendingOpen)
    return true
  }

  /** Later, since it goes on to call the user's code. */
  #resumeLater(pendingOpen: PendingOpen<T>): void {
    const wait = () => {}
    pendingOpen.cancelWait = wait
    queueMicrotask(() => {
      if (pendingOpen.cancelWait === wait) this.#resume(pendingOpen)
    })
  }

  /** After a wait, in the async context of the call that has waited the longest. */
  #resume(pendingOpen: PendingOpen<T>): void {
    pendingOpen.cancelWait = undefined
    runIn(pendingOpen.requests.first?.context, () => {
      this.#advance(pendingOpen)
      this.#components.lifecycle.events.flush()
    })
  }

  #advance(pendingOpen: PendingOpen<T>): void {
    if (pendingOpen.isSettled || pendingOpen.cancelWait !== undefined) return
    const { id } = pendingOpen
    const { lifecycle, archiver } = this.#components
    const slot = lifecycle.liveOrExpire(id)
    if (slot !== noSlot) this.#admit(pendingOpen, slot)
    else if (archiver.has(id))
      pendingOpen.cancelWait = archiver.whenSettled(id, () => this.#resume(pendingOpen))
    else if (this.#loadHost !== undefined && !pendingOpen.isLoadStarted)
      this.#callLoad(pendingOpen, this.#loadHost)
    else if (pendingOpen.result === undefined) this.#createValue(pendingOpen)
    else this.#acquireCapacity(pendingOpen)
  }

  #callLoad(pendingOpen: PendingOpen<T>, host: LoadHost<T>): void {
    pendingOpen.isLoadStarted = true
    const call = new LoadCall<T>(host, pendingOpen.id, {
      onLoaded: (value) => {
        pendingOpen.load = undefined
        if (value !== undefined) pendingOpen.result = { value, isLoaded: true }
        this.#resume(pendingOpen)
      },
      onFailed: (error) => {
        this.#fail(pendingOpen, error)
        host.events.flush()
      },
      onFinished: () => this.#calls.delete(call),
    })
    this.#calls.add(call)
    pendingOpen.load = call
    pendingOpen.cancelWait = (reason) => call.abort(reason)
    call.start()
  }

  #createValue(pendingOpen: PendingOpen<T>): void {
    for (const request of pendingOpen.requests)
      if (request.create === false) dismiss(request, () => request.onAbsent())
    try {
      while (pendingOpen.requests.size > 0 && pendingOpen.result === undefined && !pendingOpen.isSettled) {
        this.#components.capacity.assertAttainable()
        this.#callFactory(pendingOpen)
      }
    } catch (error) {
      this.#fail(pendingOpen, error)
    }
    if (pendingOpen.requests.size === 0) this.#end(pendingOpen)
    else this.#advance(pendingOpen)
  }

  /** Of those who wait, the first who has a factory makes the value. If it throws, those who have another go on. */
  #callFactory(pendingOpen: PendingOpen<T>): void {
    const { id, requests } = pendingOpen
    const { first } = requests
    const creator =
      this.#factoryOf(first) === undefined ? [...requests].find((one) => this.#factoryOf(one)) : first
    const create = this.#factoryOf(creator)
    if (creator === undefined || create === undefined) throw noFactoryError()
    try {
      pendingOpen.result = { value: runIn(creator.context, () => create(id)), isLoaded: false }
    } catch (error) {
      // A call's own factory is no matter of the others; the registry's is that of all who brought none.
      const isOwn = typeof creator.create === 'function'
      for (const request of isOwn ? [creator] : requests) {
        if (isOwn || typeof request.create !== 'function') dismiss(request, () => request.onFailed(error))
      }
    }
  }

  #factoryOf(request: OpenRequest<T> | undefined): CreateSession<T> | undefined {
    if (request === undefined) return undefined
    return typeof request.create === 'function' ? request.create : this.#defaultFactory
  }

  #acquireCapacity(pendingOpen: PendingOpen<T>): void {
    const { capacity } = this.#components
    const request: CapacityRequest = {
      grant: () => {
        pendingOpen.cancelWait = undefined
        runIn(pendingOpen.requests.first?.context, () => this.#createSession(pendingOpen))
      },
      refuse: (error) => this.#fail(pendingOpen, error),
    }
    pendingOpen.cancelWait = () => capacity.cancel(request)
    capacity.acquire(request)
  }

  /** Creates the session; there is room for it. */
  #createSession(pendingOpen: PendingOpen<T>): void {
    const { id, result } = pendingOpen
    if (pendingOpen.isSettled || result === undefined) return
    // Out of the way first: the session's arrival is told by the steps below.
    this.#end(pendingOpen)
    // Functions that have captured the opening are on the stack of the turns that begin now, and an error keeps them.
    pendingOpen.result = undefined
    const { lifecycle } = this.#components
    const now = lifecycle.clock.now()
    this.#admit(
      pendingOpen,
      lifecycle.create(detachString(id), result.value, now, undefined, result.isLoaded),
    )
  }

  #admit(pendingOpen: PendingOpen<T>, slot: Slot): void {
    this.#end(pendingOpen)
    const requests = pendingOpen.requests.takeAll()
    for (const request of requests) request.onOpened(slot)
    this.#components.lifecycle.events.flush()
    for (const request of requests) request.onReady()
  }

  #fail(pendingOpen: PendingOpen<T>, error: unknown): void {
    this.#end(pendingOpen, error)
    for (const request of pendingOpen.requests.takeAll()) request.onFailed(error)
  }
}
