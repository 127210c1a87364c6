import { abortReason, onAbort } from '../async/abort-listeners.ts'
import { isThenable } from '../async/is-thenable.ts'
import { isSessionRegistryError, type SessionErrorCode } from '../errors/session-registry-error.ts'
import type { ArchiveSession, LoadSession } from '../hooks.ts'
import type { ResolvedStoreOptions } from '../options/store-options.ts'
import { type Clock, shownTime } from '../time/clock.ts'

/**
 * How long a failure counts, in milliseconds. A probe that keeps visitors away also keeps away the call that
 * would succeed, so what is known must not be believed for ever.
 */
const memoryMs = 30_000

/** The options by which sessions are kept outside of the registry. */
interface KeepingOptions<T> {
  readonly load: LoadSession<T> | undefined
  readonly archive: ArchiveSession<T> | undefined
  readonly storage: ResolvedStoreOptions<T> | undefined
}

/**
 * Whether calls of something outside the process fail: the newest outcome was a failure, a short while ago.
 */
export class CallOutcomes {
  readonly #clock: Clock
  #failedAt: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isFailing(): boolean {
    return this.#failedAt !== undefined && shownTime(this.#clock) - this.#failedAt < memoryMs
  }

  onSucceeded(): void {
    this.#failedAt = undefined
  }

  onFailed(): void {
    this.#failedAt = shownTime(this.#clock)
  }

  /** Returns options whose hooks and store have their calls watched. */
  watch<T, O extends KeepingOptions<T>>(options: O): O {
    const { load, archive, storage } = options
    storage?.store.watchBy(this)
    const watchedLoad: LoadSession<T> | undefined =
      load && ((id, context) => this.call(() => load(id, context), context))
    const watchedArchive: ArchiveSession<T> | undefined =
      archive && ((session, reason, context) => this.call(() => archive(session, reason, context), context))
    return { ...options, load: watchedLoad, archive: watchedArchive }
  }

  /** Makes a call and returns its result; a promise has to settle before its signal aborts by a timeout. */
  call<R>(call: () => R, context: { readonly signal: AbortSignal }): R {
    let result: R
    try {
      result = call()
    } catch (error) {
      this.#onRejected(error)
      throw error
    }
    if (!isThenable(result)) {
      this.onSucceeded()
      return result
    }
    // A foreign promise may do its work anew with each `then`.
    const promise = Promise.resolve(result)
    this.#follow(promise, context.signal)
    return promise as R
  }

  /** Awaits a call that has its own timeout. */
  async track<R>(called: Promise<R>): Promise<R> {
    try {
      const result = await called
      this.onSucceeded()
      return result
    } catch (error) {
      this.onFailed()
      throw error
    }
  }

  #follow(promise: Promise<unknown>, signal: AbortSignal): void {
    let isAborted = false
    const stopListening = onAbort(signal, () => {
      isAborted = true
      if (isTimeout(abortReason(signal))) this.onFailed()
    })
    promise.then(
      () => {
        stopListening()
        this.onSucceeded()
      },
      (error) => {
        stopListening()
        // What an aborted call rejects with says nothing of the other side.
        if (!isAborted) this.#onRejected(error)
      },
    )
  }

  #onRejected(error: unknown): void {
    // Another error of the library concerns the session, or the hook's own use of the registry.
    if (!isSessionRegistryError(error) || error.code === 'ERR_SESSION_STORE_FAILED') this.onFailed()
  }
}

/** The codes with which the signal of a call aborts that has taken too long. */
const timeoutCodes: readonly SessionErrorCode[] = [
  'ERR_SESSION_LOAD_TIMEOUT',
  'ERR_SESSION_STORE_FAILED',
  'ERR_SESSION_ARCHIVE_FAILED',
]

function isTimeout(reason: unknown): boolean {
  return timeoutCodes.some((code) => isSessionRegistryError(reason, code))
}
