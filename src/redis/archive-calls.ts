import type { ConstructionContext } from '../core/async/construction-context.ts'
import type { PendingWork } from '../core/async/pending-work.ts'
import type { ExpiryReason } from '../core/end-reason.ts'
import { archiveTimeoutError } from '../core/errors/turn-errors.ts'
import type { ArchiveSession } from '../core/hooks.ts'
import { realClock } from '../core/time/clock.ts'
import { HookCall, runInScope } from '../core/turns/turn-scope.ts'
import type { RedisSession } from './redis-session.ts'
import { untilAborted } from './until-aborted.ts'

export interface ArchiveCall<T> {
  readonly archive: ArchiveSession<T>
  readonly session: RedisSession<T>
  readonly reason: ExpiryReason
  readonly attempt: number
  readonly isOvertaken: boolean
  /** Its signal is the hook's. */
  readonly controller: AbortController
}

/** Calls of the archive hook. They may go on after their signal has aborted. */
export class ArchiveCalls<T> {
  readonly #owner: object
  readonly #context: ConstructionContext
  readonly #pending: PendingWork
  readonly #timeoutMs: number
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(owner: object, context: ConstructionContext, pending: PendingWork, timeoutMs: number) {
    this.#owner = owner
    this.#context = context
    this.#pending = pending
    this.#timeoutMs = timeoutMs
  }

  /** Fulfils when the last call for the id has settled, or its time is up; `undefined` where none is under way. */
  underWay(id: string): Promise<void> | undefined {
    return this.#underWay.get(id)
  }

  /** Rejects with what the hook fails with, and as soon as its signal aborts, with the reason of that. */
  async call({ archive, session, reason, attempt, isOvertaken, controller }: ArchiveCall<T>): Promise<void> {
    const { id } = session
    const { signal } = controller
    const scope = new HookCall()
    const context = isOvertaken ? { signal, attempt, superseded: true } : { signal, attempt }
    const stored = (async () => runInScope(this.#owner, id, scope, () => archive(session, reason, context)))()
    const over = new Promise<void>((resolve) => {
      const timedOut = () => {
        controller.abort(archiveTimeoutError(this.#timeoutMs))
        resolve()
      }
      const timer = this.#context.timer(realClock, timedOut, this.#timeoutMs)
      const settled = () => {
        scope.endScope()
        timer.cancel()
        resolve()
      }
      stored.then(settled, settled)
    })
    this.#underWay.set(id, over)
    void this.#pending.track(over).then(() => {
      if (this.#underWay.get(id) === over) this.#underWay.delete(id)
    })
    await untilAborted(stored, signal)
  }
}
