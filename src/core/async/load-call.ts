import { AsyncResource } from 'node:async_hooks'
import { loadTimeoutError } from '../errors/turn-errors.ts'
import type { EventQueue } from '../events/event-queue.ts'
import type { LoadSession } from '../hooks.ts'
import type { Clock, Timer } from '../time/clock.ts'
import { HookCall, runInScope } from '../turns/turn-scope.ts'
import type { PendingWork } from './pending-work.ts'

/** What the calls of one registry's `load` hook share. */
export interface LoadHost<T> {
  readonly owner: object
  readonly events: EventQueue
  readonly clock: Clock
  readonly pending: PendingWork
  readonly load: LoadSession<T>
  readonly loadTimeoutMs: number
}

/** How a call ends: by one of the first two, unless it is aborted. */
export interface LoadOutcome<T> {
  onLoaded(value: T | undefined): void
  onFailed(error: unknown): void
  /** It counts as under way no more, aborted or not. */
  onFinished(): void
}

/** One call of the `load` hook, in the async context of its caller, for `loadTimeoutMs` at the longest. */
export class LoadCall<T> {
  readonly hook = new HookCall()
  readonly #host: LoadHost<T>
  readonly #id: string
  readonly #outcome: LoadOutcome<T>
  readonly #controller = new AbortController()
  /** Where the hook runs, and its signal aborts. */
  #context: AsyncResource | undefined
  #timer: Timer | undefined
  /** Whether what comes of it still counts. */
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

  /** What comes of it counts no more: its signal aborts, when the present step is done. */
  abort(reason?: unknown): void {
    if (!this.#isCurrent) return
    this.#isCurrent = false
    // It only bounds from here on for how long the hook counts as under way.
    this.#timer?.unref()
    this.#host.events.defer(() => {
      this.#context?.runInAsyncScope(() => this.#controller.abort(reason))
    })
  }

  /** It counts as under way no more, whatever its hook does. */
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
      // Not a function that captures the value: it would be on the stack of the turns that begin now, and an
      // error keeps it.
      (value) => {
        if (this.#onSettled()) this.#outcome.onLoaded(value)
      },
      (error) => {
        if (this.#onSettled()) this.#fail(error)
      },
    )
  }

  /** Returns whether what has come of it counts. */
  #onSettled(): boolean {
    this.hook.endScope()
    this.finish()
    if (!this.#isCurrent) return false
    this.#isCurrent = false
    return true
  }

  #onTimeout(): void {
    this.finish()
    if (!this.#isCurrent) return
    const error = loadTimeoutError(this.#host.loadTimeoutMs)
    this.abort(error)
    this.#fail(error)
  }

  #fail(error: unknown): void {
    const { events } = this.#host
    if (events.isLogged('debug'))
      events.log({ level: 'debug', message: 'load failed', fields: { err: error }, id: this.#id })
    this.#outcome.onFailed(error)
  }

  #startTimeout(): void {
    const { clock, events, loadTimeoutMs } = this.#host
    try {
      // A caller waits, so that the process stays alive.
      this.#timer = events.context.timer(clock, () => this.#onTimeout(), loadTimeoutMs, {
        keepsAlive: true,
        catchesUp: true,
      })
    } catch (error) {
      // A host that gives no timer takes the limit away, not the load.
      events.reportError(error, 'a load could not be timed')
    }
  }
}
