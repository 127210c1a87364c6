import { HookCall, type HookHost, type HookSignal } from '../../core/async/hook-call.ts'
import type { EndReason } from '../../core/end-reason.ts'
import { disposeFailedError, disposeTimeoutError } from '../../core/errors/turn-errors.ts'
import type { DisposeSession } from '../../core/hooks.ts'
import { shownTime } from '../../core/time/clock.ts'
import { disposalsInFlight, type FastPathBlockers } from '../fast-path/blockers.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { Disposal } from './disposal.ts'

export interface DisposerOptions<T> {
  readonly dispose: DisposeSession<T>
  readonly disposeTimeoutMs: number
}

/**
 * The disposal of values: once for each session that has ended, and for values that never became a session's.
 *
 * ```
 *   start ─▶ waits for a turn or an archive that uses the value? ─▶ hook ─▶ settled, failed or timed out:
 *                      │ ready                                              the session is told to have ended
 *                      └──────────────────────────────────────────▶
 * ```
 *
 * Until then the session counts towards the capacity, and its id is not opened. A hook that returns no
 * promise has settled when it returns, in the step in which the session ends.
 */
export class Disposer<T> {
  readonly #host: HookHost
  readonly #lifecycle: Lifecycle<T>
  readonly #blockers: FastPathBlockers
  readonly #options: DisposerOptions<T>
  readonly #byId = new Map<string, Set<Disposal<T>>>()
  /** Those that wait for a turn or an archive. */
  readonly #waiting = new Map<SessionRecord<T>, Disposal<T>>()
  #count = 0
  #isClosing = false

  constructor(
    components: {
      readonly host: HookHost
      readonly lifecycle: Lifecycle<T>
      readonly blockers: FastPathBlockers
    },
    options: DisposerOptions<T>,
  ) {
    this.#host = components.host
    this.#lifecycle = components.lifecycle
    this.#blockers = components.blockers
    this.#options = options
  }

  /** The number of values that are not disposed of yet. */
  get count(): number {
    return this.#count
  }

  /** Whether a value of the id is not disposed of yet. */
  has(id: string): boolean {
    return this.#count > 0 && this.#byId.has(id)
  }

  /** Takes a session that has left the table, in a step. `waits`: until {@link ready}. */
  start(
    record: SessionRecord<T>,
    reason: EndReason,
    { isArchived, waits }: { readonly isArchived: boolean; readonly waits: boolean },
  ): void {
    const disposal = this.#add(new Disposal<T>(record.value, { id: record.id, reason, isArchived, record }))
    if (waits) this.#waiting.set(record, disposal)
    else this.#callInStep(disposal)
  }

  /** The value of a session that {@link start} left waiting is used no longer. */
  ready(record: SessionRecord<T>): void {
    const disposal = this.#waiting.get(record)
    if (disposal === undefined) return
    this.#waiting.delete(record)
    this.#lifecycle.step.run(() => this.#callInStep(disposal))
  }

  /** Takes a value that never was a session's. */
  discard(id: string, value: T, reason: EndReason): void {
    const disposal = this.#add(new Disposal<T>(value, { id, reason, isArchived: false, record: undefined }))
    disposal.begunAt = shownTime(this.#host.clock)
    this.#lifecycle.step.run(() => this.#callInStep(disposal))
  }

  /** Calls `onSettled` once no value of the id is left. Returns a function that withdraws that. */
  whenSettled(id: string, onSettled: () => void): () => void {
    const [disposal] = this.#byId.get(id) ?? []
    if (disposal === undefined) return () => {}
    disposal.waiters.add(onSettled)
    disposal.call?.ref()
    return () => {
      disposal.waiters.delete(onSettled)
      if (!this.#keepsAlive(disposal)) disposal.call?.unref()
    }
  }

  /** Keeps the process alive for all disposals: the registry is closing. */
  close(): void {
    this.#isClosing = true
    for (const disposal of this.disposals()) disposal.call?.ref()
  }

  /** Aborts all of them: the last deadline of `close` has passed. */
  giveUpAll(error: unknown): void {
    for (const disposal of this.disposals()) {
      // Each value is passed to the hook once, whatever still uses it.
      if (disposal.call === undefined) this.#call(disposal)
      // A hook that returns no promise has settled then.
      if (!this.#isInFlight(disposal)) continue
      disposal.call?.abort(error)
      disposal.call?.finish()
      this.#fail(disposal, error)
    }
  }

  #isInFlight(disposal: Disposal<T>): boolean {
    return this.#byId.get(disposal.id)?.has(disposal) === true
  }

  /** Returns those that are under way or wait. */
  disposals(): Disposal<T>[] {
    return [...this.#byId.values()].flatMap((disposals) => [...disposals])
  }

  #add(disposal: Disposal<T>): Disposal<T> {
    const { id } = disposal
    const disposals = this.#byId.get(id)
    if (disposals === undefined) this.#byId.set(id, new Set([disposal]))
    else disposals.add(disposal)
    this.#count += 1
    this.#blockers.block(disposalsInFlight)
    this.#host.pending.begin()
    return disposal
  }

  /** Calls the hook among the events of the present step, in the context of the registry's constructor. */
  #callInStep(disposal: Disposal<T>): void {
    const { events } = this.#host.step
    events.inBackground(() => events.defer(() => this.#call(disposal)))
  }

  #call(disposal: Disposal<T>): void {
    const { id, reason, isArchived, record } = disposal
    const { dispose, disposeTimeoutMs } = this.#options
    // A turn may have assigned another value until now.
    const value = record === undefined ? disposal.value : record.value
    const init = {
      id,
      call: (context: HookSignal) => dispose(value, reason, new DisposeArguments(context, isArchived)),
      timeoutMs: disposeTimeoutMs,
      timeoutError: disposeTimeoutError,
      timerFailure: 'a disposal could not be timed',
      keepsAlive: this.#keepsAlive(disposal),
      isSynchronous: true,
      trace: this.#host.step.channels.trace('dispose', id, () => ({
        ...this.#incarnationOf(record),
        reason,
      })),
    } as const
    disposal.call = new HookCall<unknown>(this.#host, init, {
      onFulfilled: () => this.#end(disposal),
      onRejected: (error) => this.#fail(disposal, error),
    })
    disposal.call.start()
  }

  #incarnationOf(record: SessionRecord<T> | undefined): { readonly incarnation?: string } {
    return record === undefined ? {} : { incarnation: this.#lifecycle.viewOf(record).incarnation }
  }

  #fail(disposal: Disposal<T>, cause: unknown): void {
    const { id, record } = disposal
    const session = record === undefined ? undefined : this.#lifecycle.viewOf(record)
    const error = disposeFailedError(session, cause)
    this.#host.step.events.reportError(error, 'a value could not be disposed of', id)
    this.#end(disposal)
  }

  #end(disposal: Disposal<T>): void {
    const { id, reason, record } = disposal
    const disposals = this.#byId.get(id)
    if (disposals?.delete(disposal) !== true) return
    if (disposals.size === 0) this.#byId.delete(id)
    if (record !== undefined) this.#waiting.delete(record)
    this.#count -= 1
    if (this.#count === 0) this.#blockers.unblock(disposalsInFlight)
    const { step, pending } = this.#host
    step.run(() => {
      if (record !== undefined) step.events.inBackground(() => this.#lifecycle.finish(record, reason))
      step.markChanged()
    })
    disposal.wakeWaiters()
    pending.end()
  }

  #keepsAlive(disposal: Disposal<T>): boolean {
    return this.#isClosing || disposal.waiters.size > 0
  }
}

/** The last argument of the hook. */
class DisposeArguments {
  readonly #context: HookSignal
  readonly archived: boolean

  constructor(context: HookSignal, archived: boolean) {
    this.#context = context
    this.archived = archived
  }

  get signal(): AbortSignal {
    return this.#context.signal
  }
}
