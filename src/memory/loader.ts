import { AsyncResource } from 'node:async_hooks'
import { runIn } from '../core/async/run-in.ts'
import type { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { endedDuringError } from '../core/errors/turn-errors.ts'
import type { Step } from '../core/events/step.ts'
import type { CreateSession } from '../core/hooks.ts'
import { detachString } from '../core/ids/detach-string.ts'
import { findScope } from '../core/turns/turn-scope.ts'
import type { LoadSource } from './load-source.ts'
import type { LoaderComponents } from './loader-components.ts'
import { Lookups } from './lookups.ts'
import { type AdoptOptions, Maker } from './maker.ts'
import {
  becomeReady,
  dismissAbsent,
  dismissOtherOwners,
  dismissOwner,
  type OpenRequest,
  type PendingOpen,
  takeAdmitted,
} from './pending-open.ts'
import { PendingOpens } from './pending-opens.ts'
import { type PlaceHandler, Places } from './places.ts'
import { noSlot, type Slot } from './table/session-table.ts'

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
  readonly #maker: Maker<T>
  readonly #places: Places<T>
  readonly #placeHandler: PlaceHandler<T>
  /** `undefined` without a `load` hook and a store. */
  readonly #lookups: Lookups<T> | undefined
  readonly pendingOpens: PendingOpens<T>
  // Continuations; they capture nothing but the loader.
  readonly #onCreateGranted = (pendingOpen: PendingOpen<T>) => {
    pendingOpen.cancelWait = undefined
    const context = pendingOpen.requests.first?.context
    this.#step.events.inContext(context, () => this.#createSession(pendingOpen))
  }
  readonly #onRefused = (pendingOpen: PendingOpen<T>, error: unknown) => this.#fail(pendingOpen, error)
  readonly #start = (pendingOpen: PendingOpen<T>) => {
    this.#advance(pendingOpen)
    if (!pendingOpen.isSettled) pendingOpen.onWait(this.#components.lifecycle.clock)
  }

  constructor(
    components: LoaderComponents<T>,
    source: LoadSource<T> | undefined,
    options: { readonly create: CreateSession<T> | undefined; readonly loadTimeoutMs: number },
  ) {
    this.#components = components
    this.pendingOpens = new PendingOpens(components.blockers, components.pending)
    const { owner, lifecycle, pending, disposer } = components
    this.#step = lifecycle.step
    const host = { owner, step: lifecycle.step, clock: lifecycle.clock, pending }
    const handler = {
      onMade: (pendingOpen: PendingOpen<T>) => this.#onMade(pendingOpen),
      onOtherOwner: (pendingOpen: PendingOpen<T>) => this.#resumeLater(pendingOpen),
      onAbandoned: (pendingOpen: PendingOpen<T>) => this.#end(pendingOpen),
      onFailed: this.#onRefused,
      onOwnerFailed: (pendingOpen: PendingOpen<T>, error: unknown) =>
        this.#failOwner(pendingOpen, pendingOpen.owner, error),
    }
    this.#places = new Places(components.capacity, components.ownerLimit)
    this.#placeHandler = { onGranted: this.#onCreateGranted, onRefused: this.#onRefused }
    const { pendingOpens } = this
    this.#maker = new Maker({ host, places: this.#places, disposer, pendingOpens }, options, handler)
    if (source === undefined) return
    const onFound = (pendingOpen: PendingOpen<T>) => this.#resume(pendingOpen)
    const lookups = { host, source, loadTimeoutMs: options.loadTimeoutMs, disposer }
    const onFailed = (pendingOpen: PendingOpen<T>, error: unknown) =>
      pendingOpen.told === undefined
        ? this.#fail(pendingOpen, error)
        : this.#failOwner(pendingOpen, pendingOpen.told.owner, error)
    this.#lookups = new Lookups(lookups, { onFound, onFailed })
  }

  /** Serves a request: at once if it need not wait, after the present step if one is open, else later. */
  open(id: string, request: OpenRequest<T>): void {
    const existing = this.pendingOpens.get(id)
    const pendingOpen = existing ?? this.pendingOpens.begin(id)
    request.entry = pendingOpen.requests.push(request)
    if (existing === undefined) this.#step.after(this.#start, pendingOpen)
    else request.context ??= new AsyncResource('SessionOpening')
  }

  /** Opens an id for requests whose session has ended, after the present step. */
  reopen(id: string, requests: readonly OpenRequest<T>[]): void {
    if (requests.length === 0) return
    const existing = this.pendingOpens.get(id)
    const pendingOpen = existing ?? this.pendingOpens.begin(id)
    for (const request of requests) request.entry = pendingOpen.requests.push(request)
    if (existing === undefined) this.#resumeLater(pendingOpen)
  }

  /**
   * Serves the requests that wait for an id which was created in another way, by `set` or a failed archive.
   * They take hold of the session in the same step, so that it cannot end first, and go on after it.
   */
  onCreated(id: string, slot: Slot): void {
    const pendingOpen = this.pendingOpens.get(id)
    if (pendingOpen === undefined) return
    this.#end(pendingOpen)
    const requests = takeAdmitted(pendingOpen, this.#components.lifecycle.table.owners.ownerOf(slot))
    for (const request of requests) request.onOpened(slot)
    queueMicrotask(() => {
      for (const request of requests) request.onReady?.()
    })
  }

  /** Discards what is loaded or made for a deleted id, whose requests open it anew. Returns if it was. */
  restart(id: string): boolean {
    const pendingOpen = this.pendingOpens.get(id)
    return pendingOpen !== undefined && this.#restart(pendingOpen)
  }

  /** {@link restart} of every id. Returns those that were loaded or made. */
  restartAll(): string[] {
    const restarted = this.pendingOpens.all().filter((pendingOpen) => this.#restart(pendingOpen))
    return restarted.map(({ id }) => id)
  }

  /** Withdraws a request. Without any left the load is aborted, and the next call begins its own. */
  cancel(id: string, request: OpenRequest<T>): void {
    if (request.entry?.remove() !== true) return
    const pendingOpen = this.pendingOpens.get(id)
    if (pendingOpen?.requests.size !== 0 || pendingOpen.isUnattended) return
    pendingOpen.discardReason = 'deleted'
    this.#end(pendingOpen)
  }

  /** Goes on with the promise that a factory has returned to a call which cannot wait. */
  adopt(id: string, promise: PromiseLike<T>, options: AdoptOptions): void {
    const pendingOpen = this.pendingOpens.get(id) ?? this.pendingOpens.begin(detachString(id))
    pendingOpen.cancelWait?.()
    pendingOpen.isUnattended = true
    pendingOpen.owner = options.owner
    pendingOpen.onWait(this.#components.lifecycle.clock)
    this.#maker.adopt(pendingOpen, promise, options)
  }

  rejectAll(error: SessionRegistryError): void {
    for (const pendingOpen of this.pendingOpens.all()) {
      pendingOpen.discardReason = 'closed'
      this.#fail(pendingOpen, error)
    }
    this.#lookups?.finishAll()
  }

  #end(pendingOpen: PendingOpen<T>, reason?: unknown): void {
    if (this.pendingOpens.end(pendingOpen, reason)) this.#discardResult(pendingOpen)
  }

  #restart(pendingOpen: PendingOpen<T>): boolean {
    const { id, load, making, result } = pendingOpen
    const call = load ?? making
    if (call === undefined && result === undefined) return false
    // A hook that deletes its own id would be called without end.
    if (call !== undefined && findScope(this.#components.owner, id) === call) return false
    pendingOpen.discardReason = 'deleted'
    const hook = making === undefined ? 'load' : 'create'
    pendingOpen.cancelWait?.(endedDuringError(hook, 'deleted'))
    pendingOpen.cancelWait = undefined
    this.#discardResult(pendingOpen)
    pendingOpen.discardReason = 'replaced'
    pendingOpen.startOver()
    if (pendingOpen.requests.size === 0) this.#end(pendingOpen)
    else this.#resumeLater(pendingOpen)
    return true
  }

  #discardResult(pendingOpen: PendingOpen<T>): void {
    const { id, result, discardReason } = pendingOpen
    pendingOpen.result = undefined
    if (result !== undefined) this.#components.disposer?.discard(id, result.value, discardReason)
  }

  /** Goes on in a microtask, since it calls user code. */
  #resumeLater(pendingOpen: PendingOpen<T>): void {
    const wait = () => {}
    pendingOpen.cancelWait = wait
    pendingOpen.onWait(this.#components.lifecycle.clock)
    queueMicrotask(() => {
      if (pendingOpen.cancelWait === wait) this.#resume(pendingOpen)
    })
  }

  /** Goes on after a wait, in the async context of the request for which it loads and creates. */
  #resume(pendingOpen: PendingOpen<T>): void {
    pendingOpen.cancelWait = undefined
    runIn(pendingOpen.speaker?.context, () => this.#advance(pendingOpen))
  }

  /** Takes the next step of opening an id, and those after it until one has to be waited for. */
  #advance(pendingOpen: PendingOpen<T>): void {
    if (!pendingOpen.isIdle) return
    const { id } = pendingOpen
    const { archiver, disposer, deletions, lifecycle } = this.#components
    if (lifecycle.table.find(id) !== noSlot) this.#step.run(() => this.#admitIfLive(pendingOpen))
    // A listener of `expired` may have created the id again.
    if (!pendingOpen.isIdle) return
    const resume = () => this.#resume(pendingOpen)
    if (archiver.has(id)) pendingOpen.cancelWait = archiver.whenSettled(id, resume)
    else if (disposer?.has(id) === true) pendingOpen.cancelWait = disposer.whenSettled(id, resume)
    else if (deletions?.has(id) === true) pendingOpen.cancelWait = deletions.whenSettled(id, resume)
    else if (this.#lookups !== undefined && !pendingOpen.isLoadStarted) this.#lookups.start(pendingOpen)
    else if (pendingOpen.result === undefined) this.#createValue(pendingOpen)
    else this.#placeFound(pendingOpen)
  }

  #placeFound(pendingOpen: PendingOpen<T>): void {
    dismissOtherOwners(pendingOpen)
    if (pendingOpen.requests.size === 0) this.#end(pendingOpen)
    else this.#step.run(() => this.#places.acquire(pendingOpen, this.#placeHandler))
  }

  #admitIfLive(pendingOpen: PendingOpen<T>): void {
    const slot = this.#components.lifecycle.liveOrExpire(pendingOpen.id)
    if (slot !== noSlot) this.#admit(pendingOpen, slot)
  }

  #createValue(pendingOpen: PendingOpen<T>): void {
    dismissAbsent(pendingOpen)
    if (pendingOpen.requests.size === 0) this.#end(pendingOpen)
    else if (!pendingOpen.isToldOfSpeaker) this.#lookups?.start(pendingOpen)
    else this.#maker.start(pendingOpen)
  }

  /** Creates the session with a value that was made. Its place becomes that of the session. */
  #onMade(pendingOpen: PendingOpen<T>): void {
    this.#step.run(() => {
      this.#components.capacity.endMaking()
      this.#onCreateGranted(pendingOpen)
    })
  }

  /** Creates the session. There is a place for it. */
  #createSession(pendingOpen: PendingOpen<T>): void {
    const { id, result, stored, owner } = pendingOpen
    if (pendingOpen.isSettled || result === undefined) return
    // Functions that have captured it are on the stack of the turns that begin now, and an error keeps them.
    pendingOpen.result = undefined
    // First, so that `onCreated` does not find it.
    this.#end(pendingOpen)
    const { value, isLoaded, timeoutMs } = result
    const { lifecycle } = this.#components
    this.#places.release(pendingOpen)
    const now = lifecycle.clock.now()
    const origin = { isLoaded, stored, owner }
    this.#admit(pendingOpen, lifecycle.create(detachString(id), value, now, timeoutMs, origin))
  }

  #admit(pendingOpen: PendingOpen<T>, slot: Slot): void {
    this.#end(pendingOpen)
    const requests = takeAdmitted(pendingOpen, this.#components.lifecycle.table.owners.ownerOf(slot))
    for (const request of requests) request.onOpened(slot)
    for (const request of requests) if (request.onReady !== undefined) this.#step.after(becomeReady, request)
  }

  /** A failure that concerns the requests of one owner. Those of others go on. */
  #failOwner(pendingOpen: PendingOpen<T>, owner: string | undefined, error: unknown): void {
    this.#step.run(() => {
      const { requests } = pendingOpen
      if ([...requests].every((request) => request.owner === owner)) this.#fail(pendingOpen, error)
      else if (dismissOwner(pendingOpen, owner, error)) this.#resumeLater(pendingOpen)
    })
  }

  #fail(pendingOpen: PendingOpen<T>, error: unknown): void {
    this.#step.run(() => {
      this.#end(pendingOpen, error)
      for (const request of pendingOpen.requests.takeAll()) request.onFailed(error)
    })
  }
}
