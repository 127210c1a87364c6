import { AsyncResource } from 'node:async_hooks'
import { loadTimeoutError } from '../errors/turn-errors.ts'
import { logLines } from '../events/log-lines.ts'
import type { Step } from '../events/step.ts'
import type { LoadSession } from '../hooks.ts'
import type { Clock, Timer } from '../time/clock.ts'
import { HookCall, runInScope } from '../turns/turn-scope.ts'
import type { PendingWork } from './pending-work.ts'

/** What the calls of one registry's `load` hook share. */
export interface LoadHost<T> {
  readonly owner: object
  readonly step: Step
  readonly clock: Clock
  readonly pending: PendingWork
  readonly load: LoadSession<T>
  readonly loadTimeoutMs: number
}

/** The receiver of the outcome: one of the first two is called, unless the call is aborted. */
export interface LoadOutcome<T> {
  onLoaded(value: T | undefined): void
  onFailed(error: unknown): void
  /** It no longer counts as under way, aborted or not. */
  onFinished(): void
}

/** A call of the `load` hook, in the async context of its caller, for `loadTimeoutMs` at most. */
export class LoadCall<T> {
  readonly hook = new HookCall()
  readonly #host: LoadHost<T>
  readonly #id: string
  readonly #outcome: LoadOutcome<T>
  readonly #controller = new AbortController()
  /** The async context of the hook and of its signal. */
  #context: AsyncResource | undefined
  #timer: Timer | undefined
  /** Whether its outcome still counts. */
  #isCurrent = true
  #isPending = true

  constructor(host: LoadHost<T>, id: string, outcome: LoadOutcome<T>) {
    this.#host = host
    this.#id = id
    this.#outcome = outcome
  }

  start(): void {
    this.#host.pending.begin()
    this.#startTimeout()
    this.#call()
  }

  /** Discards its outcome; its signal aborts at the end of the present step. */
  abort(reason?: unknown): void {
    if (!this.#isCurrent) return
    this.#isCurrent = false
    // From here on it only bounds how long the hook counts as under way.
    this.#timer?.unref()
    const { step } = this.#host
    const abort = () => this.#context?.runInAsyncScope(() => this.#controller.abort(reason))
    step.run(() => step.events.defer(abort))
  }

  /** It no longer counts as under way, whatever its hook does. */
  finish(): void {
    this.#timer?.cancel()
    if (!this.#isPending) return
    this.#isPending = false
    this.#host.pending.end()
    this.#outcome.onFinished()
  }

  #call(): void {
    const { owner, load } = this.#host
    const { signal } = this.#controller
    const call = () => {
      this.#context = new AsyncResource('SessionLoad')
      return load(this.#id, { signal })
    }
    let loaded: Promise<T | undefined>
    try {
      loaded = Promise.resolve(runInScope(owner, this.#id, this.hook, call))
    } catch (error) {
      loaded = Promise.reject(error)
    }
    loaded.then(
      // A function that captures the value would be on the stack of the turns that begin now, and an error
      // keeps it.
      (value) => {
        if (this.#onSettled()) this.#outcome.onLoaded(value)
      },
      (error) => {
        if (this.#onSettled()) this.#fail(error)
      },
    )
  }

  /** Returns whether the outcome counts. */
  #onSettled(): boolean {
    this.hook.endScope()
    this.finish()
    if (!this.#isCurrent) return false
    this.#isCurrent = false
    return true
  }

  #onTimeout(): void {
    this.#host.step.run(() => {
      this.finish()
      if (!this.#isCurrent) return
      const error = loadTimeoutError(this.#host.loadTimeoutMs)
      this.abort(error)
      this.#fail(error)
    })
  }

  #fail(error: unknown): void {
    const { events } = this.#host.step
    const kind = logLines.loadFailed
    if (events.isLogged(kind.level)) events.log(kind.line(this.#id, error))
    this.#outcome.onFailed(error)
  }

  #startTimeout(): void {
    const { clock, step, loadTimeoutMs } = this.#host
    const { events } = step
    try {
      // A caller waits, so it keeps the process alive.
      this.#timer = events.context.timer(clock, () => this.#onTimeout(), loadTimeoutMs, {
        keepsAlive: true,
        catchesUp: true,
      })
    } catch (error) {
      // A host without a timer removes the limit, not the load.
      events.reportError(error, 'a load could not be timed')
    }
  }
}
