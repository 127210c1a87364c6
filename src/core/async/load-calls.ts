import { loadTimeoutError } from '../errors/turn-errors.ts'
import { logLines } from '../events/log-lines.ts'
import type { LoadContext } from '../hooks.ts'
import { HookCall, type HookHost, type HookSignal } from './hook-call.ts'

/** Looks for a session that is not in memory: the `load` hook, or the read of a store. */
export type CallLoad<R> = (id: string, context: LoadContext) => R | PromiseLike<R>

/** The receiver of what `load` returned, or failed with; neither is called after an abort. */
export interface LoadOutcome<R> {
  onLoaded(result: R): void
  onFailed(error: unknown): void
  /** The result of an aborted call. */
  onDiscarded?(result: R): void
}

/** The calls of one registry that look for sessions. */
export class LoadCalls<R> {
  readonly #host: HookHost
  readonly #load: CallLoad<R>
  readonly #timeoutMs: number
  /** Those that have not settled, aborted ones included. */
  readonly #running = new Set<HookCall<R>>()

  constructor(host: HookHost, load: CallLoad<R>, timeoutMs: number) {
    this.#host = host
    this.#load = load
    this.#timeoutMs = timeoutMs
  }

  /** Returns a call for an id, which is to be started. The process stays alive for it: a caller waits. */
  newCall(id: string, owner: string | undefined, outcome: LoadOutcome<R>): HookCall<R> {
    const init = {
      id,
      call: (context: HookSignal) => this.#load(id, new LoadArguments(context, owner)),
      timeoutMs: this.#timeoutMs,
      timeoutError: loadTimeoutError,
      timerFailure: 'a load could not be timed',
      keepsAlive: true,
      trace: this.#host.step.channels.trace('load', id, () => ({})),
    } as const
    const call = new HookCall<R>(this.#host, init, {
      onFulfilled: (value) => outcome.onLoaded(value),
      onRejected: (error) => {
        this.#logFailure(id, error)
        outcome.onFailed(error)
      },
      onDiscarded: (result) => outcome.onDiscarded?.(result),
      onFinished: () => this.#running.delete(call),
    })
    this.#running.add(call)
    return call
  }

  /** Ends all of them as pending work: the registry is closing. */
  finishAll(): void {
    for (const call of this.#running) call.finish()
  }

  #logFailure(id: string, error: unknown): void {
    const { events } = this.#host.step
    const kind = logLines.loadFailed
    if (events.isLogged(kind.level)) events.log(kind.line(id, error))
  }
}

/** The last argument of the hook. */
class LoadArguments implements LoadContext {
  readonly #context: HookSignal
  readonly owner: string | undefined

  constructor(context: HookSignal, owner: string | undefined) {
    this.#context = context
    this.owner = owner
  }

  get signal(): AbortSignal {
    return this.#context.signal
  }
}
