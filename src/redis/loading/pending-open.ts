import { abortReason, onAbort } from '../../core/async/abort-listeners.ts'
import type { HookCall } from '../../core/async/hook-call.ts'
import { endedDuringError } from '../../core/errors/turn-errors.ts'
import type { CreateSession } from '../../core/hooks.ts'
import { realClock } from '../../core/time/clock.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'
import type { FactoryCall } from './factory-calls.ts'
import type { FoundSession } from './load-source.ts'

/** The outcome of an open of an absent id. */
export type OpenResult =
  | { readonly state: 'absent' }
  /** Another caller created it, or it has ended again: look again. */
  | { readonly state: 'changed' }
  /** `token`: of the lock that was taken with the creation. */
  | { readonly state: 'created'; readonly snapshot: SessionSnapshot; readonly token: string }

/** The session that was loaded, from the state named `loadToken`; without one, it is to be created. */
export interface LoadResult {
  readonly found: FoundSession | undefined
  readonly loadToken: string | undefined
}

/** A value that is being made for all callers. */
export interface Making<T> {
  readonly call: FactoryCall<T>
  readonly text: Promise<string>
  /** The request whose own factory makes it; `undefined` for the registry's. */
  readonly ownerOfFactory: object | undefined
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
  /** The number of callers that wait. */
  callerCount = 0
  /** The factory of one of the callers. */
  create: CreateSession<T> | undefined
  created: Promise<OpenResult> | undefined
  /** Whether the id was deleted meanwhile: the result is stale. */
  isDropped = false
  /** Whether the hook itself deleted the id. */
  isDeletedByHook = false
  /** `changed`: look again. */
  readonly result: Promise<LoadResult | 'changed'>
  #isSettled = false
  #resolve: (result: LoadResult | 'changed') => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor() {
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Without a caller, a rejection is of no interest.
    this.result.catch(() => {})
  }

  /** Settles with the outcome of `loading`, unless this one was dropped, failed or aborted before. */
  follow(loading: Promise<LoadResult | 'changed'>): void {
    loading.then(
      (result) => {
        this.#isSettled = true
        this.#resolve(result)
      },
      (error) => this.fail(error),
    )
  }

  /** Returns the result for a caller; rejects with the reason when its signal aborts. */
  wait(signal: AbortSignal | undefined): Promise<LoadResult | 'changed'> {
    if (signal === undefined) return this.result
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(signal, () => reject(abortReason(signal)))
      this.result.then(resolve, reject).finally(stopListening)
    })
  }

  /** The id was deleted: the callers begin anew. */
  drop(): void {
    this.isDropped = true
    this.#resolve('changed')
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
