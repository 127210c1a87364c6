import { HookCall, type HookHost, type HookSignal, type LazySignal } from '../core/async/hook-call.ts'
import { runIn } from '../core/async/run-in.ts'
import { isSessionRegistryError } from '../core/errors/session-registry-error.ts'
import { loadTimeoutError, noFactoryError } from '../core/errors/turn-errors.ts'
import type { CreateSession } from '../core/hooks.ts'
import type { Trace } from '../core/watching/trace.ts'
import type { Disposer } from './disposal/disposer.ts'
import {
  type DiscardReason,
  dismiss,
  dismissAbsent,
  type OpenRequest,
  type PendingOpen,
} from './pending-open.ts'
import type { AbandonedValue, PendingOpens } from './pending-opens.ts'
import type { PlaceHandler, Places } from './places.ts'

/** What a call had that cannot wait for the promise of its factory. */
export interface AdoptOptions {
  /** What the factory was given. */
  readonly signal: LazySignal
  /** The idle timeout of the session, if it is its own. */
  readonly timeoutMs: number | undefined
  /** To whom the session is going to belong. */
  readonly owner: string | undefined
  /** Publishes the call of the factory, and has begun with it. */
  readonly trace: Trace | undefined
}

/** What the loader does about a value that is made for one of its opens. */
export interface MakerHandler<T> {
  /** It has its value, and a place for its session. */
  onMade(pendingOpen: PendingOpen<T>): void
  /** Its factory has failed, and the next request has another owner. */
  onOtherOwner(pendingOpen: PendingOpen<T>): void
  /** No request is left that wants a value. */
  onAbandoned(pendingOpen: PendingOpen<T>): void
  onFailed(pendingOpen: PendingOpen<T>, error: unknown): void
  /** No value can be made for the owner of the session to be. */
  onOwnerFailed(pendingOpen: PendingOpen<T>, error: unknown): void
}

/**
 * The values of new sessions, by the factory of a request or of the registry. A value has its place before
 * its factory is called, so there are never more values than places.
 *
 * A factory that nobody waits for any more is aborted. What it makes all the same is disposed of, and keeps
 * its place until then, at most for `loadTimeoutMs`.
 */
export class Maker<T> {
  readonly #host: HookHost
  readonly #places: Places<T>
  readonly #disposer: Disposer<T> | undefined
  readonly #abandoned: Set<AbandonedValue>
  readonly #defaultFactory: CreateSession<T> | undefined
  readonly #timeoutMs: number
  readonly #handler: MakerHandler<T>
  readonly #placeHandler: PlaceHandler<T>
  // Continuations; they capture nothing but the maker.
  readonly #onGranted = (pendingOpen: PendingOpen<T>) => {
    this.#places.startMaking()
    pendingOpen.cancelWait = granted
    this.#host.step.after(this.#onPlaced, pendingOpen)
  }
  /** Not in a step: it calls user code. */
  readonly #onPlaced = (pendingOpen: PendingOpen<T>) => {
    // It may have been served, or begun anew, by a listener.
    if (pendingOpen.isSettled || pendingOpen.cancelWait !== granted) this.#places.endMaking(pendingOpen)
    else this.#makeWithPlace(pendingOpen)
  }

  constructor(
    components: {
      readonly host: HookHost
      readonly places: Places<T>
      readonly disposer: Disposer<T> | undefined
      readonly pendingOpens: PendingOpens<T>
    },
    options: { readonly create: CreateSession<T> | undefined; readonly loadTimeoutMs: number },
    handler: MakerHandler<T>,
  ) {
    this.#host = components.host
    this.#places = components.places
    this.#placeHandler = {
      onGranted: this.#onGranted,
      onRefused: (pendingOpen, error) => {
        if (isSessionRegistryError(error, 'ERR_SESSION_OWNER_FULL')) handler.onOwnerFailed(pendingOpen, error)
        else handler.onFailed(pendingOpen, error)
      },
    }
    this.#disposer = components.disposer
    this.#abandoned = components.pendingOpens.abandoned
    this.#defaultFactory = options.create
    this.#timeoutMs = options.loadTimeoutMs
    this.#handler = handler
  }

  /**
   * Makes the value when there is a place for it, by the factory of a request or of the registry. The session
   * is going to belong to the first that asked.
   */
  start(pendingOpen: PendingOpen<T>): void {
    pendingOpen.owner = pendingOpen.speaker?.owner
    if (this.#creatorOf(pendingOpen) === undefined) this.#handler.onOwnerFailed(pendingOpen, noFactoryError())
    else this.#host.step.run(() => this.#places.acquire(pendingOpen, this.#placeHandler))
  }

  #makeWithPlace(pendingOpen: PendingOpen<T>): void {
    // A loop, since thousands of requests may each have a factory that throws.
    do {
      pendingOpen.makesAgain = false
      this.#make(pendingOpen)
    } while (pendingOpen.makesAgain)
  }

  #make(pendingOpen: PendingOpen<T>): void {
    const { id } = pendingOpen
    const creator = this.#creatorOf(pendingOpen)
    const create = this.#factoryOf(creator)
    if (create === undefined) this.#giveUp(pendingOpen)
    else this.#start(pendingOpen, creator, (context) => create(id, context), undefined)
  }

  /** Takes a promise that a factory has returned to a call which cannot wait, with a place that it has. */
  adopt(pendingOpen: PendingOpen<T>, promise: PromiseLike<T>, options: AdoptOptions): void {
    this.#start(pendingOpen, undefined, () => promise, options)
  }

  #start(
    pendingOpen: PendingOpen<T>,
    creator: OpenRequest<T> | undefined,
    callFactory: (context: HookSignal) => T | PromiseLike<T>,
    options: AdoptOptions | undefined,
  ): void {
    const { id, owner } = pendingOpen
    const signal = options?.signal
    const timeoutMs = options?.timeoutMs
    let discardReason: DiscardReason | undefined
    let abandoned: AbandonedValue | undefined
    const init = {
      id,
      call: callFactory,
      ...(signal === undefined ? {} : { signal }),
      timeoutMs: this.#timeoutMs,
      timeoutError: loadTimeoutError,
      timerFailure: 'a load could not be timed',
      keepsAlive: true,
      isSynchronous: true,
      trace: options === undefined ? this.#host.step.channels.trace('create', id, () => ({})) : options.trace,
    } as const
    const call = new HookCall<T>(this.#host, init, {
      onFulfilled: (value) => {
        pendingOpen.making = undefined
        pendingOpen.result = { value, isLoaded: false, timeoutMs }
        this.#handler.onMade(pendingOpen)
      },
      onRejected: (error) => this.#onRejected(pendingOpen, creator, error),
      // One that has timed out was not aborted: its callers were rejected, and wait no more.
      onDiscarded: (value) => this.#disposer?.discard(id, value, discardReason ?? 'deleted'),
      onFinished: () => {
        if (discardReason !== undefined) this.#places.endMaking({ owner })
        if (abandoned !== undefined) this.#abandoned.delete(abandoned)
      },
    })
    pendingOpen.making = call
    pendingOpen.cancelWait = (reason) => {
      discardReason = pendingOpen.discardReason
      abandoned = { id, owner, begunAt: pendingOpen.begunAt }
      this.#abandoned.add(abandoned)
      call.abort(reason)
    }
    pendingOpen.isCalling = true
    runIn(creator?.context, () => call.start())
    pendingOpen.isCalling = false
  }

  /** No request is left that has a factory. */
  #giveUp(pendingOpen: PendingOpen<T>): void {
    this.#places.endMaking(pendingOpen)
    dismissAbsent(pendingOpen)
    if (pendingOpen.requests.size === 0) this.#handler.onAbandoned(pendingOpen)
    else this.#handler.onOwnerFailed(pendingOpen, noFactoryError())
  }

  /** A factory has failed. Requests that have another one go on. */
  #onRejected(pendingOpen: PendingOpen<T>, creator: OpenRequest<T> | undefined, error: unknown): void {
    const { requests, isUnattended } = pendingOpen
    pendingOpen.making = undefined
    pendingOpen.cancelWait = undefined
    pendingOpen.isUnattended = false
    // The own factory of a call concerns that call alone; the registry's concerns all that brought none.
    const isOwn = typeof creator?.create === 'function'
    for (const request of isOwn ? [creator] : requests) {
      if (isOwn || request.create === true) dismiss(request, () => request.onFailed(error))
    }
    if (isUnattended)
      this.#host.step.events.reportError(error, 'a session could not be created', pendingOpen.id)
    if (requests.size > 0 && pendingOpen.speaker?.owner === pendingOpen.owner) {
      if (pendingOpen.isCalling) pendingOpen.makesAgain = true
      else this.#makeWithPlace(pendingOpen)
      return
    }
    this.#places.endMaking(pendingOpen)
    if (requests.size > 0) this.#handler.onOtherOwner(pendingOpen)
    else this.#handler.onAbandoned(pendingOpen)
  }

  /** Returns the first request with a factory, of those of the owner: nobody gets what another's made. */
  #creatorOf({ requests, owner }: PendingOpen<T>): OpenRequest<T> | undefined {
    const { first } = requests
    const makes = (one: OpenRequest<T>) => one.owner === owner && this.#factoryOf(one) !== undefined
    return first === undefined || makes(first) ? first : [...requests].find(makes)
  }

  #factoryOf(request: OpenRequest<T> | undefined): CreateSession<T> | undefined {
    if (request === undefined || request.create === false) return undefined
    return typeof request.create === 'function' ? request.create : this.#defaultFactory
  }
}

/** The wait of an open whose place was granted, until the step has ended. */
function granted(): void {}
