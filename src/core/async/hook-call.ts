import { AsyncResource } from 'node:async_hooks'
import type { SessionRegistryError } from '../errors/session-registry-error.ts'
import type { Failure } from '../events/log-lines.ts'
import type { Step } from '../events/step.ts'
import type { FullClock, Timer } from '../time/clock.ts'
import { ScopedWork } from '../turns/turn-scope.ts'
import type { Trace } from '../watching/trace.ts'
import { abortError } from './abort-listeners.ts'
import { startTimer } from './contained-timer.ts'
import { isThenable } from './is-thenable.ts'
import type { PendingWork } from './pending-work.ts'

/** What all calls of the hooks of one registry share. */
export interface HookHost {
  readonly owner: object
  readonly step: Step
  readonly clock: FullClock
  readonly pending: PendingWork
}

/** What a hook is given: its signal, which is made when it is first read. */
export interface HookSignal {
  readonly signal: AbortSignal
}

/** A hook to call. */
export interface HookInit<R> {
  readonly id: string
  /** Calls the hook. What it throws counts as a rejection. */
  readonly call: (context: HookSignal) => R | PromiseLike<R>
  /** The longest time that the hook may take, in milliseconds. */
  readonly timeoutMs: number
  /** Returns the error of a call that took longer. */
  readonly timeoutError: (timeoutMs: number) => SessionRegistryError
  /** Reported where the host has no timer: then the hook may take as long as it likes. */
  readonly timerFailure: Failure
  /** Whether the process stays alive for it. */
  readonly keepsAlive: boolean
  /** Whether a result that is no promise is its outcome at once, not in a microtask. */
  readonly isSynchronous?: boolean
  /** What the hook was given, if it was called before and `call` returns its promise. */
  readonly signal?: LazySignal
  /** Publishes the call; `undefined` where nothing subscribes. */
  readonly trace?: Trace | undefined
}

/** A signal that is made when it is first read: most hooks that return no promise never do. */
export class LazySignal implements HookSignal {
  #controller: AbortController | undefined
  /** The async context in which the signal was first read, which is that of the hook. */
  #context: AsyncResource | undefined
  #aborted: { readonly reason: unknown } | undefined

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      this.#context = new AsyncResource('SessionHook')
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason)
    }
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#aborted ??= { reason }
    this.#context?.runInAsyncScope(() => this.#controller?.abort(reason))
  }
}

/** The receiver of the outcome: one of the first two is called, unless the call was aborted before. */
export interface HookOutcome<R> {
  onFulfilled(result: R): void
  onRejected(error: unknown): void
  /** The hook of an aborted call has returned a result after all. Called before `onFinished`. */
  onDiscarded?(result: R): void
  /** The hook has settled, or its time is up. Called before the other two, and after an abort. */
  onFinished?(): void
}

/**
 * One call of a hook of the user (`load`, `archive`), in the async context of its caller.
 *
 * ```
 *   start ─▶ in progress ─▶ fulfilled, rejected, timed out ─▶ outcome
 *                │ abort: no outcome
 *                ▼
 *            still running ─▶ settled, or its time is up ─▶ finished
 * ```
 *
 * It is the work of a scope, in which the hook may not open its own session, until it settles. It is pending
 * work until it finishes: what an aborted hook still writes has to be waited for.
 */
export class HookCall<R> extends ScopedWork {
  readonly #host: HookHost
  readonly #init: HookInit<R>
  readonly #outcome: HookOutcome<R>
  readonly #signal: LazySignal
  #timer: Timer | undefined
  /** Whether its outcome still counts. */
  #isCurrent = true
  #isFinished = false

  constructor(host: HookHost, init: HookInit<R>, outcome: HookOutcome<R>) {
    super()
    this.#host = host
    this.#init = init
    this.#outcome = outcome
    this.#signal = init.signal ?? new LazySignal()
  }

  start(): void {
    this.#host.pending.begin()
    const { trace } = this.#init
    const isSynchronous = this.#init.isSynchronous === true
    try {
      const result = trace === undefined ? this.#call() : trace.call(() => this.#call(), isSynchronous)
      if (isSynchronous && !isThenable(result)) this.#onFulfilled(result)
      else this.#follow(Promise.resolve(result))
    } catch (error) {
      if (isSynchronous) this.#onRejected(error)
      else this.#follow(Promise.reject(error))
    }
  }

  #call(): R | PromiseLike<R> {
    return this.runIn(this.#host.owner, this.#init.id, () => this.#init.call(this.#signal))
  }

  #follow(called: Promise<R>): void {
    this.#startTimer()
    called.then(
      // Not a function that captures the result: it would be on the stack of the turns that begin now, and an
      // error keeps it.
      (result) => this.#onFulfilled(result),
      (error) => this.#onRejected(error),
    )
  }

  #onRejected(error: unknown): void {
    if (!this.#onSettled()) return
    this.#init.trace?.fail(error)
    this.#outcome.onRejected(error)
  }

  #onFulfilled(result: R): void {
    if (!this.#isCurrent) {
      this.endScope()
      // First: what the host does about the result is to be waited for as well.
      this.#outcome.onDiscarded?.(result)
    }
    if (!this.#onSettled()) return
    this.#init.trace?.succeed()
    this.#outcome.onFulfilled(result)
  }

  /** Discards its outcome; its signal aborts at the end of the present step. */
  abort(reason?: unknown): void {
    if (!this.#isCurrent) return
    this.#isCurrent = false
    // From here on it only bounds how long the hook is pending.
    this.unref()
    const { step } = this.#host
    step.run(() => {
      this.#init.trace?.fail(reason ?? abortError())
      step.events.defer(() => this.#signal.abort(reason))
    })
  }

  /** Ends it as pending work, whatever its hook does. */
  finish(): void {
    this.#timer?.cancel()
    if (this.#isFinished) return
    this.#isFinished = true
    this.#host.pending.end()
    this.#outcome.onFinished?.()
  }

  /** Keeps the process alive until it finishes. */
  ref(): void {
    this.#timer?.ref()
  }

  unref(): void {
    this.#timer?.unref()
  }

  /** Returns whether the outcome is wanted. */
  #onSettled(): boolean {
    this.endScope()
    this.finish()
    if (!this.#isCurrent) return false
    this.#isCurrent = false
    return true
  }

  #startTimer(): void {
    const { step, clock } = this.#host
    const { timeoutMs, timerFailure, keepsAlive } = this.#init
    const options = { keepsAlive, catchesUp: true }
    const host = { clock, events: step.events }
    this.#timer = startTimer(host, () => this.#onTimeout(), timeoutMs, timerFailure, options)
  }

  #onTimeout(): void {
    this.#host.step.run(() => {
      this.finish()
      if (!this.#isCurrent) return
      const { timeoutMs, timeoutError } = this.#init
      const error = timeoutError(timeoutMs)
      this.abort(error)
      this.#outcome.onRejected(error)
    })
  }
}
