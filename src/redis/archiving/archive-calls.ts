import { HookCall, type HookHost, type HookSignal } from '../../core/async/hook-call.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { SessionTraces } from '../../core/watching/channels.ts'
import type { JobAbort } from './job-abort.ts'

export interface ArchiveCall {
  readonly id: string
  readonly call: (context: HookSignal) => unknown
  readonly timeoutError: (timeoutMs: number) => SessionRegistryError
  /** The signal of the call aborts with it. */
  readonly abort: JobAbort
  /** What is published of the call; `undefined` for a deletion. */
  readonly traced?: Pick<SessionTraces['archive'], 'incarnation' | 'reason' | 'attempt'>
}

/** The calls of the `archive` hook or the store, which may go on after their signal has aborted. */
export class ArchiveCalls {
  readonly #host: HookHost
  readonly #timeoutMs: number
  readonly #running = new Map<string, Promise<void>>()
  readonly #runningOfDeleted = new Map<string, Promise<void>>()

  constructor(host: HookHost, timeoutMs: number) {
    this.#host = host
    this.#timeoutMs = timeoutMs
  }

  /** Fulfils when the last call for the id has settled or timed out; `undefined` where none is running. */
  running(id: string): Promise<void> | undefined {
    return this.#running.get(id)
  }

  /** As {@link running}, for deleted incarnations: what their hooks still write must not be loaded. */
  runningOfDeleted(id: string): Promise<void> | undefined {
    return this.#runningOfDeleted.get(id)
  }

  /** The incarnation of the running call for the id was deleted. */
  markDeleted(id: string): void {
    const finished = this.#running.get(id)
    if (finished === undefined) return
    this.#runningOfDeleted.set(id, finished)
    void finished.then(() => {
      if (this.#runningOfDeleted.get(id) === finished) this.#runningOfDeleted.delete(id)
    })
  }

  /** Makes a call. Rejects with its error, and with the reason of its signal as soon as that aborts. */
  run({ id, call, timeoutError, abort, traced }: ArchiveCall): Promise<void> {
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    this.#running.set(id, finished)
    return new Promise((resolve, reject) => {
      const init = {
        id,
        call,
        timeoutMs: this.#timeoutMs,
        timeoutError,
        timerFailure: 'an archive could not be timed',
        keepsAlive: false,
        trace: traced && this.#host.step.channels.trace('archive', id, () => traced),
      } as const
      const running = new HookCall<unknown>(this.#host, init, {
        onFulfilled: () => {
          abort.stopListening()
          resolve()
        },
        onRejected: (error) => {
          abort.stopListening()
          reject(error)
        },
        onFinished: () => {
          if (this.#running.get(id) === finished) this.#running.delete(id)
          finish()
        },
      })
      running.start()
      abort.listen(() => {
        running.abort(abort.reason)
        reject(abort.reason)
      })
    })
  }
}
