import { abortReason, onAbort } from '../../core/async/abort-listeners.ts'
import { HookCall, type HookHost } from '../../core/async/hook-call.ts'
import type { ExpiryReason } from '../../core/end-reason.ts'
import { archiveTimeoutError } from '../../core/errors/turn-errors.ts'
import type { ArchiveSession } from '../../core/hooks.ts'
import type { RedisSession } from '../redis-session.ts'

export interface ArchiveCall<T> {
  readonly archive: ArchiveSession<T>
  readonly session: RedisSession<T>
  readonly reason: ExpiryReason
  readonly attempt: number
  readonly isSuperseded: boolean
  /** Its signal is the hook's. */
  readonly controller: AbortController
}

/** The calls of the `archive` hook, which may go on after their signal has aborted. */
export class ArchiveCalls<T> {
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

  /** Calls the hook. Rejects with its error, and with the reason of its signal as soon as that aborts. */
  run({ archive, session, reason, attempt, isSuperseded, controller }: ArchiveCall<T>): Promise<void> {
    const { id } = session
    const about = isSuperseded ? { attempt, superseded: true } : { attempt }
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    this.#running.set(id, finished)
    return new Promise((resolve, reject) => {
      let stopListening = () => {}
      const init = {
        id,
        call: (signal: AbortSignal) => archive(session, reason, { signal, ...about }),
        timeoutMs: this.#timeoutMs,
        timeoutError: archiveTimeoutError,
        timerFailure: 'an archive could not be timed',
        keepsAlive: false,
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
