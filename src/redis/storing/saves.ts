import { startTimer } from '../../core/async/contained-timer.ts'
import type { HookHost } from '../../core/async/hook-call.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { storeTimeoutError } from '../../core/errors/store-errors.ts'
import { busyError, closedError } from '../../core/errors/turn-errors.ts'
import { Save } from '../../core/storing/save.ts'
import { type Backoff, backoffMs, jitter } from '../../core/time/backoff.ts'
import { realClock } from '../../core/time/clock.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { pause } from '../pause.ts'
import type { RedisSession } from '../redis-session.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'
import { newToken } from '../storage/tokens.ts'
import type { DurableStore } from './durable-store.ts'
import type { SavedState, StoredState } from './stored-state.ts'
import type { BeginWriteResult, WriteLeases } from './write-leases.ts'

/** The pauses between looks at a session that another turn has. */
const checkBackoff: Backoff = { firstMs: 20, maxMs: 100 }

type Begun = Extract<BeginWriteResult, { state: 'begun' }>

/** Saves of live sessions to the store, by `save`. */
export class Saves<T> {
  readonly #host: HookHost
  readonly #durable: DurableStore<T>
  readonly #leases: WriteLeases<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #running = new Set<Save>()
  #closedError: SessionRegistryError | undefined
  /** Called when one has settled. */
  onSettled: (() => void) | undefined = undefined

  constructor(
    host: HookHost,
    durable: DurableStore<T>,
    leases: WriteLeases<T>,
    options: ResolvedRedisOptions<T>,
  ) {
    this.#host = host
    this.#durable = durable
    this.#leases = leases
    this.#options = options
  }

  /** The number of saves that are under way. */
  get count(): number {
    return this.#running.size
  }

  /** Aborts all: the deadline of `close` has passed. */
  abortAll(error: SessionRegistryError): void {
    this.#closedError = error
    for (const save of [...this.#running]) save.abort(error)
  }

  /**
   * Writes a live session to the store; inside a turn, the session as the turn has it. Returns whether it is
   * live, and the store has it. Not activity.
   *
   * Waits for a running turn of any process, at most `maxTurnMs`: then it rejects with `ERR_SESSION_BUSY`.
   * Rejects with `ERR_SESSION_STORE_FAILED` after three tries, and with `ERR_SESSION_VALUE_INVALID`.
   */
  async save(id: string, inTurn: RedisSession<T> | undefined): Promise<boolean> {
    const own = inTurn?.current()
    const token = newToken()
    const begunAt = realClock.now()
    const begun = await this.#begin(id, token, inTurn?.incarnation)
    if (begun === undefined) return false
    const { snapshot: kept, storedState } = begun
    const snapshot = own === undefined ? kept : { ...kept, ...own }
    // What the turn has may never be committed.
    const saved = own?.isCommitted === false ? undefined : this.#savedState(snapshot)
    try {
      await this.#write(snapshot, storedState, begunAt)
    } catch (error) {
      // An archive or a deletion must not come before what the aborted write may still do.
      void this.#durable
        .whenSettled(id, this.#options.leaseMs)
        .then(() => this.#leases.end(kept, token, undefined))
      throw error
    }
    return this.#leases.end(kept, token, { ...storedState, saved })
  }

  /** Begins the write once no turn runs. `undefined` where there is no live session. */
  async #begin(id: string, token: string, incarnation: string | undefined): Promise<Begun | undefined> {
    const deadlineAt = realClock.now() + this.#options.maxTurnMs
    for (let attempt = 1; ; attempt += 1) {
      if (this.#closedError !== undefined) throw this.#closedError
      const result = await this.#leases.begin(id, token, incarnation)
      if (result.state === 'absent') return undefined
      if (result.state === 'begun') return result
      const remainingMs = deadlineAt - realClock.now()
      if (remainingMs <= 0) throw busyError()
      await pause(Math.min(jitter(backoffMs(attempt, checkBackoff)), remainingMs)).elapsed
    }
  }

  /** Writes, in three tries at most, and within the lease: then another process may write. */
  #write(snapshot: SessionSnapshot, state: StoredState, begunAt: number): Promise<void> {
    const { archiveTimeoutMs: timeoutMs, leaseMs } = this.#options
    return new Promise((resolve, reject) => {
      const write = (signal: AbortSignal) => this.#durable.write(snapshot, state, signal)
      const { id, incarnation } = snapshot
      const init = { id, incarnationOf: () => incarnation, write, timeoutMs }
      const save = new Save(this.#host, init, (error) => {
        lapse?.cancel()
        this.#running.delete(save)
        if (error === undefined) resolve()
        else reject(error)
        this.onSettled?.()
      })
      const { clock, step } = this.#host
      const host = { clock, events: step.events }
      const onLapse = () => save.abort(storeTimeoutError(leaseMs))
      const remainingMs = Math.max(leaseMs - (realClock.now() - begunAt), 1)
      const lapse = startTimer(host, onLapse, remainingMs, 'a save could not be timed')
      this.#running.add(save)
      if (this.#closedError === undefined) save.start()
      else save.abort(closedError())
    })
  }

  #savedState(snapshot: SessionSnapshot): SavedState {
    const { version, owner, lastActiveAt } = snapshot
    return { version, timeoutMs: this.#durable.ownTimeoutOf(snapshot), owner, lastActiveAt }
  }
}
