import { AsyncResource } from 'node:async_hooks'
import { isThenable } from '../async/is-thenable.ts'
import { aroundOf } from './around.ts'
import type { TracingChannels } from './channels.ts'

/** Calls user code that must not run within a change of the registry. */
export interface UserCodeCaller {
  callOutside(action: () => void): void
}

/** The message of an operation: one object for all its channels, to which subscribers may add. */
export interface TraceMessage {
  readonly registry: string
  readonly ref: string
  error?: unknown
  settled?: true
}

interface Failure {
  readonly error: unknown
}

/**
 * One traced operation. It publishes as `tracePromise` of Node does, on all runtimes:
 *
 * ```
 *   call ─▶ start ─▶ the function ─▶ end ─▶ (error) ─▶ asyncStart ─▶ asyncEnd
 *                        └▶ synchronous: (error) ─▶ end
 * ```
 *
 * What a subscriber has bound to `start` (`bindStore`) is there in the function and all that it does, and
 * when the later messages are published, wherever the operation settles.
 */
export class Trace {
  readonly #channels: TracingChannels
  readonly #message: TraceMessage
  readonly #caller: UserCodeCaller
  /** The async context of the function. */
  #context: AsyncResource | undefined = undefined
  #phase: 'new' | 'calling' | 'called' = 'new'
  #isSettled = false
  #failure: Failure | undefined = undefined

  constructor(channels: TracingChannels, message: TraceMessage, caller: UserCodeCaller) {
    this.#channels = channels
    this.#message = message
    this.#caller = caller
  }

  /**
   * Calls the function of the operation; one whose trace has begun before is only called. `isSynchronous`:
   * what it throws, or returns that is no promise, is the outcome of the operation.
   */
  call<R>(fn: () => R, isSynchronous = false): R {
    if (this.#phase !== 'new') return fn()
    this.#phase = 'calling'
    return this.#channels.start.runStores(this.#message, () => {
      const around = aroundOf(this.#message)
      const call = () => this.#call(fn, isSynchronous)
      return around === undefined ? call() : around(call)
    })
  }

  succeed(): void {
    this.#settle(undefined)
  }

  /** Ends it with an error, unless it has settled. */
  fail(error: unknown): void {
    this.#settle({ error })
  }

  #call<R>(fn: () => R, isSynchronous: boolean): R {
    this.#context = new AsyncResource('SessionTrace')
    let isOver = false
    try {
      const result = fn()
      isOver = isSynchronous && !isThenable(result)
      return result
    } catch (error) {
      isOver = isSynchronous
      if (isOver) this.#failure ??= { error }
      throw error
    } finally {
      this.#phase = 'called'
      this.#publishEnd(isOver)
    }
  }

  #publishEnd(isOver: boolean): void {
    if (isOver) {
      this.#isSettled = true
      this.#message.settled = true
      this.#publishFailure()
    }
    this.#channels.end.publish(this.#message)
    // It may have been aborted by its own function.
    if (!isOver && this.#isSettled) this.#publishOutcome()
  }

  #settle(failure: Failure | undefined): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#failure = failure
    if (this.#phase === 'called') this.#publishOutcome()
  }

  #publishOutcome(): void {
    const context = this.#context
    this.#context = undefined
    this.#caller.callOutside(() => context?.runInAsyncScope(() => this.#publishSettled()))
  }

  #publishSettled(): void {
    this.#publishFailure()
    this.#channels.asyncStart.publish(this.#message)
    this.#channels.asyncEnd.publish(this.#message)
  }

  #publishFailure(): void {
    if (this.#failure === undefined) return
    this.#message.error = this.#failure.error
    this.#channels.error.publish(this.#message)
  }
}
