import type { AsyncResource } from 'node:async_hooks'
import { abortReason, onAbort } from '../../core/async/abort-listeners.ts'
import type { HookCall } from '../../core/async/hook-call.ts'
import { endedDuringError } from '../../core/errors/turn-errors.ts'
import type { CreateSession } from '../../core/hooks.ts'
import { realClock } from '../../core/time/clock.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'
import type { FactoryCall } from './factory-calls.ts'
import type { FoundSession } from './load-source.ts'

/** A call that needs the session of an absent id. */
export interface OpenRequest<T> {
  /**
   * Whether a session is created where there is none; or the function that makes its value, instead of the
   * registry's `create`.
   */
  readonly create: boolean | CreateSession<T>
  /** To whom a session belongs that is made for it, and to whom another one has to belong. */
  readonly owner: string | undefined
  /** The token of the lock to take with the creation, or ''. */
  readonly token: string
  /** Aborts when the caller no longer waits; the call then rejects with the reason. */
  readonly signal?: AbortSignal | undefined
  /** The async context of the caller, in which `load` and a factory are called for it. */
  readonly context: AsyncResource | undefined
  /** Nothing was found: of the turns for which it stands, those that create nothing are served. */
  onAbsent?(): void
  /** `load` has failed for some of the turns for which it stands. The others begin again. */
  onLoadFailed?(failed: FailedLoad): void
  /** Its own factory is going to be called, or it has none: a failure is its own. */
  onMaking?(): void
  /** That has failed: for one of the turns for which it stands. The others begin again. */
  onMakingFailed?(error: unknown): void
}

/** The outcome of an open of an absent id. */
export type OpenResult =
  | { readonly state: 'absent' }
  /** It belongs to another owner than the caller's. */
  | { readonly state: 'refused'; readonly sessionOwner: string | undefined }
  /** Another caller created it, or it has ended again: look again. */
  | { readonly state: 'changed' }
  /** `token`: of the lock that was taken with the creation. */
  | { readonly state: 'created'; readonly snapshot: SessionSnapshot; readonly token: string }

/** `load` has failed for this owner. Callers of others go on. */
export interface FailedLoad {
  readonly state: 'failed'
  readonly error: unknown
  readonly owner: string | undefined
}

/** The session that was loaded, from the state named `loadToken`; without one, it is to be created. */
export interface LoadResult {
  readonly state: 'loaded'
  readonly found: FoundSession | undefined
  readonly loadToken: string | undefined
}

/**
 * The result of the search for a session. `changed`: look again. `deadLetter`: the newest state is a dead
 * letter, and the first caller is not its owner.
 */
export type SearchResult =
  | LoadResult
  | FailedLoad
  | { readonly state: 'changed' }
  | { readonly state: 'deadLetter'; readonly sessionOwner: string | undefined }

/** A value that is being made for all callers. */
export interface Making<T> {
  readonly call: FactoryCall<T>
  readonly text: Promise<string>
  /** To whom the session is going to belong. */
  readonly owner: string | undefined
  /** The request whose own factory makes it; `undefined` for the registry's. */
  readonly ownerOfFactory: OpenRequest<T> | undefined
}

/**
 * A load or creation of one id that is under way, shared by all its callers in this process.
 *
 * It is aborted when the last of them leaves. Later callers begin anew, and do not share its outcome.
 */
export class PendingOpen<T> {
  /** Monotonic time of its start. */
  readonly begunAt = realClock.now()
  /** Aborts when no caller waits any more for what comes before the load. */
  readonly waitController = new AbortController()
  /** The running call of `load`. */
  load: HookCall<unknown> | undefined
  making: Making<T> | undefined
  /** What `load` was told, if it was. */
  told: { readonly owner: string | undefined } | undefined
  /** The callers that wait, in the order in which they asked. */
  readonly requests = new Set<OpenRequest<T>>()
  created: Promise<OpenResult> | undefined
  /** Whether the id was deleted meanwhile: the result is stale. */
  isDropped = false
  /** Whether the hook itself deleted the id. */
  isDeletedByHook = false
  readonly result: Promise<SearchResult>
  /** How the callers that wait for the result are told of it. */
  readonly #waiting = new Map<OpenRequest<T>, (result: SearchResult) => void>()
  #isSettled = false
  #resolve: (result: SearchResult) => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor() {
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Without a caller, a rejection is of no interest.
    this.result.catch(() => {})
  }

  /**
   * The first caller to ask of those that would create a session, else the first: `load` is told its owner,
   * to whom what it returns is bound, and a new session belongs.
   */
  get speaker(): OpenRequest<T> | undefined {
    const requests = [...this.requests]
    return requests.find(({ create }) => create !== false) ?? requests[0]
  }

  /** Whether `load`, if it is told who asks, was asked for the owner of the session to be. */
  get isToldOfSpeaker(): boolean {
    const { told, speaker } = this
    return told === undefined || speaker === undefined || told.owner === speaker.owner
  }

  /** Settles with the outcome of `loading`, unless this one was dropped, failed or aborted before. */
  follow(loading: Promise<SearchResult>): void {
    loading.then(
      (result) => {
        this.#isSettled = true
        this.#resolve(result)
      },
      (error) => this.fail(error),
    )
  }

  /** Returns the result for a caller; rejects with the reason when its signal aborts. */
  wait(request: OpenRequest<T>): Promise<SearchResult> {
    const { signal } = request
    return new Promise((resolve, reject) => {
      const stopListening = signal && onAbort(signal, () => reject(abortReason(signal)))
      const settle = (result: SearchResult) => {
        stopListening?.()
        this.#waiting.delete(request)
        resolve(result)
      }
      this.#waiting.set(request, settle)
      this.result.then(settle, (error) => {
        stopListening?.()
        reject(error)
      })
    })
  }

  /** Tells the callers of one owner that `load` has failed for it. Returns whether others wait. */
  failOwner(failed: FailedLoad): boolean {
    for (const request of [...this.requests]) {
      if (request.owner !== failed.owner) continue
      this.requests.delete(request)
      this.#waiting.get(request)?.(failed)
    }
    return this.requests.size > 0
  }

  /** The id was deleted: the callers begin anew. */
  drop(): void {
    this.isDropped = true
    this.#resolve({ state: 'changed' })
    this.abort(endedDuringError(this.making === undefined ? 'load' : 'create', 'deleted'))
  }

  fail(error: unknown): void {
    this.#reject(error)
    this.abort(error)
  }

  /** Aborts the work, unless it has settled. */
  abort(reason: unknown): void {
    this.making?.call.abort(reason)
    if (this.#isSettled) return
    this.#isSettled = true
    this.waitController.abort(reason)
    this.load?.abort(reason)
  }
}
