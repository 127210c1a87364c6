import { HookCall, type HookHost, type HookSignal } from '../../core/async/hook-call.ts'
import { loadTimeoutError } from '../../core/errors/turn-errors.ts'
import type { CreateSession } from '../../core/hooks.ts'
import { realClock } from '../../core/time/clock.ts'

/** One call of a factory. */
export class FactoryCall<T> {
  readonly id: string
  /** Monotonic time of the call. */
  readonly begunAt = realClock.now()
  readonly hook: HookCall<T>
  /** Settles as the factory does; rejects when its time is up, and when the call is aborted. */
  readonly value: Promise<T>
  isAborted = false
  #reject: (error: unknown) => void = () => {}

  constructor(
    id: string,
    newHook: (resolve: (value: T) => void, reject: (error: unknown) => void) => HookCall<T>,
  ) {
    this.id = id
    let hook: HookCall<T> | undefined
    this.value = new Promise<T>((resolve, reject) => {
      this.#reject = reject
      hook = newHook(resolve, reject)
    })
    // Its callers may have left.
    this.value.catch(() => {})
    this.hook = hook as HookCall<T>
  }

  /** Calls the factory. */
  start(): void {
    this.hook.start()
  }

  /** Rejects the value, unless it is there, and aborts the signal of the factory. */
  abort(reason: unknown): void {
    this.isAborted = true
    this.#reject(reason)
    this.hook.abort(reason)
  }
}

/** The calls of factories, each bounded by `loadTimeoutMs`. A value that comes later is dropped. */
export class FactoryCalls<T> {
  readonly #host: HookHost
  readonly #timeoutMs: number
  /** Those that have not settled, aborted ones included. */
  readonly #running = new Set<FactoryCall<T>>()

  constructor(host: HookHost, timeoutMs: number) {
    this.#host = host
    this.#timeoutMs = timeoutMs
  }

  /** Those that have not settled, aborted ones included. */
  get running(): Iterable<FactoryCall<T>> {
    return this.#running
  }

  /** Returns a call, which is to be started. The process stays alive for it: a caller waits. */
  newCall(id: string, create: CreateSession<T>): FactoryCall<T> {
    const init = {
      id,
      call: (context: HookSignal) => create(id, context),
      timeoutMs: this.#timeoutMs,
      timeoutError: loadTimeoutError,
      timerFailure: 'a load could not be timed',
      keepsAlive: true,
      isSynchronous: true,
      trace: this.#host.step.channels.trace('create', id, () => ({})),
    } as const
    const call = new FactoryCall<T>(
      id,
      (resolve, reject) =>
        new HookCall<T>(this.#host, init, {
          onFulfilled: resolve,
          onRejected: reject,
          onFinished: () => this.#running.delete(call),
        }),
    )
    this.#running.add(call)
    return call
  }

  /** Aborts all of them, and ends them as pending work: the registry is closing. */
  rejectAll(error: unknown): void {
    for (const call of this.#running) {
      call.abort(error)
      call.hook.finish()
    }
  }
}
