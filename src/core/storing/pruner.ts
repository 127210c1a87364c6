import { HookCall, type HookHost } from '../async/hook-call.ts'
import { storeFailedError, storeTimeoutError } from '../errors/store-errors.ts'
import type { CheckedStore } from './checked-store.ts'

/**
 * Shortest time between two prunings, in milliseconds: stored sessions are kept for days, not for minutes.
 */
const minIntervalMs = 3_600_000

/** Most sessions that one call of `prune` deletes: a statement of a database stays short. */
const batchSize = 500

/** Deletes the stored sessions that were not active for `keepMs`, in the background. */
export class Pruner {
  readonly #host: HookHost
  readonly #store: CheckedStore
  readonly #keepMs: number
  readonly #timeoutMs: number
  readonly #prepare: () => Promise<boolean>
  #isStopped = false
  #prunedAt = Number.NEGATIVE_INFINITY
  #call: HookCall<number> | undefined

  /** `prepare` is called before each pruning, and says whether it is to be done. */
  constructor(
    host: HookHost,
    store: CheckedStore,
    options: { readonly keepMs: number; readonly timeoutMs: number },
    prepare: () => Promise<boolean> = async () => true,
  ) {
    this.#host = host
    this.#store = store
    this.#keepMs = options.keepMs
    this.#timeoutMs = options.timeoutMs
    this.#prepare = prepare
  }

  /**
   * Prunes the store, if there is something to prune and the last pruning began an hour ago or more. `date`
   * is the present time in epoch milliseconds.
   */
  pruneIfDue(date = this.#host.clock.date()): void {
    if (this.#keepMs === Number.POSITIVE_INFINITY || !this.#store.canPrune || this.#call !== undefined) return
    const now = this.#host.clock.now()
    if (now - this.#prunedAt < minIntervalMs) return
    this.#prunedAt = now
    this.#host.pending.track(this.#prepare()).then(
      (isReady) => {
        if (isReady && !this.#isStopped) this.#pruneBatch(date - this.#keepMs)
      },
      (error) => this.#report(error),
    )
  }

  stop(error: unknown): void {
    this.#isStopped = true
    this.#call?.abort(error)
    this.#call?.finish()
    this.#call = undefined
  }

  #pruneBatch(before: number): void {
    const init = {
      // No session's: the hook may open any.
      id: '',
      call: () => this.#store.prune(before, batchSize),
      timeoutMs: this.#timeoutMs,
      timeoutError: storeTimeoutError,
      timerFailure: 'a pruning could not be timed',
      keepsAlive: false,
    } as const
    this.#call = new HookCall<number>(this.#host, init, {
      onFulfilled: (count) => {
        this.#call = undefined
        if (count >= batchSize) this.#pruneBatch(before)
      },
      onRejected: (error) => {
        this.#call = undefined
        this.#report(error)
      },
    })
    this.#host.step.events.context.run(() => this.#call?.start())
  }

  #report(error: unknown): void {
    const { events } = this.#host.step
    events.reportError(storeFailedError('prune sessions', error), 'the store could not be pruned')
  }
}
