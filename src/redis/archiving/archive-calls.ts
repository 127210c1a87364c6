import { abortReason, onAbort } from '../../core/async/abort-listeners.ts'
import { HookCall, type HookHost, type HookSignal } from '../../core/async/hook-call.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { SessionTraces } from '../../core/watching/channels.ts'

export interface ArchiveCall {
  readonly id: string
  readonly call: (signal: AbortSignal) => unknown
  readonly timeoutError: (timeoutMs: number) => SessionRegistryError
  /** Its signal is that of the call. */
  readonly controller: AbortController
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
  run({ id, call: callHook, timeoutError, controller, traced }: ArchiveCall): Promise<void> {
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    this.#running.set(id, finished)
    return new Promise((resolve, reject) => {
      let stopListening = () => {}
      const init = {
        id,
        call: ({ signal }: HookSignal) => callHook(signal),
        timeoutMs: this.#timeoutMs,
        timeoutError,
        timerFailure: 'an archive could not be timed',
        keepsAlive: false,
        trace: traced && this.#host.step.channels.trace('archive', id, () => traced),
      } as const
      const call = new HookCall<unknown>(this.#host, init, {
        onFulfilled: () => {
          stopListening()
          resolve()
        },
        onRejected: (error) => {
          stopListening()
          reject(error)
        },
        onFinished: () => {
          if (this.#running.get(id) === finished) this.#running.delete(id)
          finish()
        },
      })
      call.start()
      stopListening = onAbort(controller.signal, () => {
        const error = abortReason(controller.signal)
        call.abort(error)
        reject(error)
      })
    })
  }
}
