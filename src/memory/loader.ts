import { AsyncResource } from 'node:async_hooks'
import { LoadCalls } from '../core/async/load-calls.ts'
import type { PendingWork } from '../core/async/pending-work.ts'
import type { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { endedDuringError, noFactoryError } from '../core/errors/turn-errors.ts'
import type { Step } from '../core/events/step.ts'
import type { CreateSession } from '../core/hooks.ts'
import { detachString } from '../core/ids/detach-string.ts'
import { findScope } from '../core/turns/turn-scope.ts'
import type { Archiver } from './archiving/archiver.ts'
import type { Capacity, CapacityRequest } from './capacity.ts'
import { type FastPathBlockers, openPending } from './fast-path/blockers.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { LoadSource } from './load-source.ts'
import { dismiss, type OpenRequest, PendingOpen, runIn } from './pending-open.ts'
import type { Deletions } from './storing/deletions.ts'
import { noSlot, type Slot } from './table/session-table.ts'

interface Loads<T> {
  readonly source: LoadSource<T>
  readonly calls: LoadCalls<unknown>
}

export interface LoaderComponents<T> {
  readonly owner: object
  readonly lifecycle: Lifecycle<T>
  readonly archiver: Archiver<T>
  /** An id waits for its deletion from the store; `undefined` without one. */
  readonly deletions: Deletions | undefined
  readonly capacity: Capacity<T>
  readonly blockers: FastPathBlockers
  readonly pending: PendingWork
}

/**
 * The opening of sessions: concurrent calls of an id share one {@link PendingOpen} (single flight).
 *
 * ```
 *   open ─▶ in memory? ─▶ archive in flight? ─▶ load ─▶ factory ─▶ capacity ─▶ create ─▶ onOpened, onReady
 *              ▲                 │ wait           │ wait               │ wait
 *              └─── #advance ────┴────────────────┴────────────────────┘
 * ```
 *
 * `#advance` is called between steps, since it calls the user's `load` and factory, and again after each
 * wait. A session that is created meanwhile, by `set` or a failed archive, ends the wait.
 */
export class SessionLoader<T> {
  readonly #components: LoaderComponents<T>
  readonly #step: Step
  readonly #defaultFactory: CreateSession<T> | undefined
  /** `undefined` without a `load` hook and a store. */
  readonly #loads: Loads<T> | undefined
  readonly #pendingOpens = new Map<string, PendingOpen<T>>()
  readonly #start = (pendingOpen: PendingOpen<T>) => {
    this.#advance(pendingOpen)
    // Only now, as most requests need not wait.
    if (pendingOpen.isSettled) return
    for (const request of pendingOpen.requests) request.context ??= new AsyncResource('SessionOpening')
  }

  constructor(
    components: LoaderComponents<T>,
    source: LoadSource<T> | undefined,
    options: { readonly create: CreateSession<T> | undefined; readonly loadTimeoutMs: number },
  ) {
    this.#components = components
    this.#defaultFactory = options.create
    const { owner, lifecycle, pending } = components
    this.#step = lifecycle.step
    const host = { owner, step: lifecycle.step, clock: lifecycle.clock, pending }
    if (source === undefined) return
    this.#loads = { source, calls: new LoadCalls(host, source.load, options.loadTimeoutMs) }
  }

  /** Serves a request: at once if it need not wait, after the present step if one is open, else later. */
  open(id: string, request: OpenRequest<T>): void {
    const existing = this.#pendingOpens.get(id)
    const pendingOpen = existing ?? this.#begin(id)
    request.entry = pendingOpen.requests.push(request)
    if (existing === undefined) this.#step.after(this.#start, pendingOpen)
    else request.context ??= new AsyncResource('SessionOpening')
  }

  /** Opens an id for requests whose session has ended, after the present step. */
  reopen(id: string, requests: readonly OpenRequest<T>[]): void {
    if (requests.length === 0) return
    const existing = this.#pendingOpens.get(id)
    const pendingOpen = existing ?? this.#begin(id)
    for (const request of requests) request.entry = pendingOpen.requests.push(request)
    if (existing === undefined) this.#resumeLater(pendingOpen)
  }

  /**
   * Serves the requests that wait for an id which was created in another way, by `set` or a failed archive.
   * They take hold of the session in the same step, so that it cannot end first, and go on after it.
   */
  onCreated(id: string, slot: Slot): void {
    const pendingOpen = this.#pendingOpens.get(id)
    if (pendingOpen === undefined) return
    this.#end(pendingOpen)
    const requests = pendingOpen.requests.takeAll()
    for (const request of requests) request.onOpened(slot)
    queueMicrotask(() => {
      for (const request of requests) request.onReady?.()
    })
  }

  /** Discards what is loaded or made for a deleted id, whose requests open it anew. Returns if it was. */
  restart(id: string): boolean {
    const pendingOpen = this.#pendingOpens.get(id)
    return pendingOpen !== undefined && this.#restart(pendingOpen)
  }

  /** {@link restart} of every id. Returns those that were loaded or made. */
  restartAll(): string[] {
    const pendingOpens = [...this.#pendingOpens.values()]
    return pendingOpens.filter((pendingOpen) => this.#restart(pendingOpen)).map(({ id }) => id)
  }

  /** Withdraws a request. Without any left the load is aborted, and the next call begins its own. */
  cancel(id: string, request: OpenRequest<T>): void {
    if (request.entry?.remove() !== true) return
    const pendingOpen = this.#pendingOpens.get(id)
    if (pendingOpen?.requests.size === 0) this.#end(pendingOpen)
  }

  rejectAll(error: SessionRegistryError): void {
    for (const pendingOpen of [...this.#pendingOpens.values()]) this.#fail(pendingOpen, error)
    this.#loads?.calls.finishAll()
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
    // A hook that deletes its own id would be called without end.
    if (load !== undefined && findScope(this.#components.owner, id) === load) return false
    pendingOpen.cancelWait?.(endedDuringError('load', 'deleted'))
    pendingOpen.load = undefined
    pendingOpen.result = undefined
    pendingOpen.stored = undefined
    pendingOpen.isLoadStarted = false
    this.#resumeLater(pendingOpen)
    return true
  }

  /** Goes on in a microtask, since it calls user code. */
  #resumeLater(pendingOpen: PendingOpen<T>): void {
    const wait = () => {}
    pendingOpen.cancelWait = wait
    queueMicrotask(() => {
      if (pendingOpen.cancelWait === wait) this.#resume(pendingOpen)
    })
  }

  /** Goes on after a wait, in the async context of the request that has waited the longest. */
  #resume(pendingOpen: PendingOpen<T>): void {
    pendingOpen.cancelWait = undefined
    runIn(pendingOpen.requests.first?.context, () => this.#advance(pendingOpen))
  }

  /** Takes the next step of opening an id, and those after it until one has to be waited for. */
  #advance(pendingOpen: PendingOpen<T>): void {
    if (!pendingOpen.isIdle) return
    const { id } = pendingOpen
    const { archiver, deletions, lifecycle } = this.#components
    if (lifecycle.table.find(id) !== noSlot) this.#step.run(() => this.#admitIfLive(pendingOpen))
    // A listener of `expired` may have created the id again.
    if (!pendingOpen.isIdle) return
    const resume = () => this.#resume(pendingOpen)
    if (archiver.has(id)) pendingOpen.cancelWait = archiver.whenSettled(id, resume)
    else if (deletions?.has(id) === true) pendingOpen.cancelWait = deletions.whenSettled(id, resume)
    else if (this.#loads !== undefined && !pendingOpen.isLoadStarted) this.#callLoad(pendingOpen, this.#loads)
    else if (pendingOpen.result === undefined) this.#createValue(pendingOpen)
    else this.#acquireCapacity(pendingOpen)
  }

  #callLoad(pendingOpen: PendingOpen<T>, { source, calls }: Loads<T>): void {
    pendingOpen.isLoadStarted = true
    const call = calls.newCall(pendingOpen.id, {
      onLoaded: (result) => {
        pendingOpen.load = undefined
        pendingOpen.onFound(source.read(result))
        this.#resume(pendingOpen)
      },
      onFailed: (error) => this.#fail(pendingOpen, error),
    })
    pendingOpen.load = call
    pendingOpen.cancelWait = (reason) => call.abort(reason)
    call.start()
  }

  #admitIfLive(pendingOpen: PendingOpen<T>): void {
    const slot = this.#components.lifecycle.liveOrExpire(pendingOpen.id)
    if (slot !== noSlot) this.#admit(pendingOpen, slot)
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

  /** Makes the value with the first factory. If it throws, requests that have another one go on. */
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
      // The own factory of a call concerns that call alone; the registry's concerns all that brought none.
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
        this.#step.events.inContext(pendingOpen.requests.first?.context, () =>
          this.#createSession(pendingOpen),
        )
      },
      refuse: (error) => this.#fail(pendingOpen, error),
    }
    pendingOpen.cancelWait = () => capacity.cancel(request)
    capacity.acquire(request)
  }

  /** Creates the session. There is a place for it. */
  #createSession(pendingOpen: PendingOpen<T>): void {
    const { id, result, stored } = pendingOpen
    if (pendingOpen.isSettled || result === undefined) return
    // First, so that `onCreated` does not find it.
    this.#end(pendingOpen)
    // Functions that have captured it are on the stack of the turns that begin now, and an error keeps them.
    pendingOpen.result = undefined
    const { value, isLoaded } = result
    const { lifecycle } = this.#components
    const now = lifecycle.clock.now()
    const timeoutMs = isLoaded ? stored?.timeoutMs : undefined
    this.#admit(pendingOpen, lifecycle.create(detachString(id), value, now, timeoutMs, { isLoaded, stored }))
  }

  #admit(pendingOpen: PendingOpen<T>, slot: Slot): void {
    this.#end(pendingOpen)
    const requests = pendingOpen.requests.takeAll()
    for (const request of requests) request.onOpened(slot)
    for (const request of requests) if (request.onReady !== undefined) this.#step.after(becomeReady, request)
  }

  #fail(pendingOpen: PendingOpen<T>, error: unknown): void {
    this.#step.run(() => {
      this.#end(pendingOpen, error)
      for (const request of pendingOpen.requests.takeAll()) request.onFailed(error)
    })
  }
}

function becomeReady<T>(request: OpenRequest<T>): void {
  request.onReady?.()
}
