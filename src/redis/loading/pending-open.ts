import { abortReason, onAbort } from '../../core/async/abort-listeners.ts'
import type { LoadCall } from '../../core/async/load-call.ts'
import { endedDuringError } from '../../core/errors/turn-errors.ts'
import type { CreateSession } from '../../core/hooks.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'

/** What has become of an id that was absent. */
export type OpenResult =
  | { readonly state: 'absent' }
  /** Another caller has created it meanwhile, or it has ended again: look once more. */
  | { readonly state: 'changed' }
  /** `token`: the lock that its creator has taken with it. */
  | { readonly state: 'created'; readonly snapshot: SessionSnapshot; readonly token: string }

/**
 * What stands for the value of the new life: what `load` gave, from the state named `loaded`; else it is to
 * be made.
 */
export interface LoadResult<T> {
  readonly value: { readonly of: T } | undefined
  readonly loadToken: string | undefined
}

/**
 * The work that is under way to bring one id to life, for all in this process who wait for it.
 *
 * It is given up when the last of them leaves: who comes later begins anew, and has no part in how this one
 * ends.
 */
export class PendingOpen<T> {
  /** Aborts when no one waits any more for what comes before the load. */
  readonly waitController = new AbortController()
  /** The call of `load` that is under way. */
  load: LoadCall<T> | undefined
  /** Those who wait. */
  callerCount = 0
  /** A factory that one of them has brought. */
  create: CreateSession<T> | undefined
  created: Promise<OpenResult> | undefined
  /** Whether the id was deleted meanwhile: what comes of it is not for those who wait. */
  isDropped = false
  /** Whether the hook itself has deleted the id. */
  isDeletedByHook = false
  /** `changed`: look once more. */
  readonly result: Promise<LoadResult<T> | 'changed'>
  #isSettled = false
  #resolve: (result: LoadResult<T> | 'changed') => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor() {
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Where no one waits any more, no one is told.
    this.result.catch(() => {})
  }

  /** Takes what `finding` comes to, unless this one is dropped, failed or left before. */
  follow(loading: Promise<LoadResult<T> | 'changed'>): void {
    loading.then(
      (result) => {
        this.#isSettled = true
        this.#resolve(result)
      },
      (error) => this.fail(error),
    )
  }

  /** What is found, for one who waits until `left` aborts; then it rejects with the reason. */
  wait(signal: AbortSignal | undefined): Promise<LoadResult<T> | 'changed'> {
    if (signal === undefined) return this.result
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(signal, () => reject(abortReason(signal)))
      this.result.then(resolve, reject).finally(stopListening)
    })
  }

  /** The id was deleted: those who wait begin anew. */
  drop(): void {
    this.isDropped = true
    this.#resolve('changed')
    this.abort(endedDuringError('load', 'deleted'))
  }

  fail(error: unknown): void {
    this.#reject(error)
    this.abort(error)
  }

  /** What is under way is to stop, if it has not come to anything yet. */
  abort(reason: unknown): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.waitController.abort(reason)
    this.load?.abort(reason)
  }
}
