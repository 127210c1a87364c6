import type { ConstructionContext } from '../../core/async/construction-context.ts'
import type { PendingWork } from '../../core/async/pending-work.ts'
import type { ExpiryReason } from '../../core/end-reason.ts'
import { archiveTimeoutError } from '../../core/errors/turn-errors.ts'
import type { ArchiveSession } from '../../core/hooks.ts'
import { realClock } from '../../core/time/clock.ts'
import { HookCall, runInScope } from '../../core/turns/turn-scope.ts'
import type { RedisSession } from '../redis-session.ts'
import { untilAborted } from '../until-aborted.ts'

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
  readonly #owner: object
  readonly #context: ConstructionContext
  readonly #pending: PendingWork
  readonly #timeoutMs: number
  readonly #running = new Map<string, Promise<void>>()
  readonly #runningOfDeleted = new Map<string, Promise<void>>()

  constructor(owner: object, context: ConstructionContext, pending: PendingWork, timeoutMs: number) {
    this.#owner = owner
    this.#context = context
    this.#pending = pending
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
  async run({ archive, session, reason, attempt, isSuperseded, controller }: ArchiveCall<T>): Promise<void> {
    const { id } = session
    const { signal } = controller
    const scope = new HookCall()
    const context = isSuperseded ? { signal, attempt, superseded: true } : { signal, attempt }
    const archived = (async () =>
      runInScope(this.#owner, id, scope, () => archive(session, reason, context)))()
    const finished = new Promise<void>((resolve) => {
      const onTimeout = () => {
        controller.abort(archiveTimeoutError(this.#timeoutMs))
        resolve()
      }
      const timer = this.#context.timer(realClock, onTimeout, this.#timeoutMs)
      const onSettled = () => {
        scope.endScope()
        timer.cancel()
        resolve()
      }
      archived.then(onSettled, onSettled)
    })
    this.#running.set(id, finished)
    void this.#pending.track(finished).then(() => {
      if (this.#running.get(id) === finished) this.#running.delete(id)
    })
    await untilAborted(archived, signal)
  }
}
