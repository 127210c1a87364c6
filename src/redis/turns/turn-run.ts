import type { QueueEntry } from '../../core/async/linked-queue.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { TurnCall } from '../../core/turns/turn-call.ts'
import type { HoldUser } from '../holds/shared-holds.ts'
import type { RedisSession } from '../redis-session.ts'
import type { TurnLease } from './turn-lease.ts'

/** A call of `run` on Redis. */
export class RedisTurnRun<T> extends TurnCall<T> implements HoldUser {
  declare readonly outer: RedisTurnRun<T> | undefined
  /**
   * Whether an absent session is loaded or created; else the turn is not called, and its result is
   * `undefined`.
   */
  mayCreate = true
  /** Its place in the queue of its id, while it waits. */
  entry: QueueEntry<RedisTurnRun<T>> | undefined = undefined
  /** The session of the turn, until its function and all nested runs have settled. */
  session: RedisSession<T> | undefined = undefined
  /** Its lock, or its use of a hold. */
  lease: TurnLease | undefined = undefined
  /** Called when its lock or its hold is lost. */
  onLeaseLost: ((error: SessionRegistryError) => void) | undefined = undefined
  /** Called when the outer turn need not wait for it any more. */
  leaveOuter: (() => void) | undefined = undefined
  /** The runs nested in this one, and when each has settled. */
  readonly #nested = new Map<RedisTurnRun<T>, Promise<void>>()

  /** Whether it runs beside other turns: it excludes no one, and calls inside it are not nested in it. */
  get isJoining(): boolean {
    return this.whenBusy === 'join' && this.outer === undefined
  }

  get nested(): Iterable<RedisTurnRun<T>> {
    return this.#nested.keys()
  }

  onLost(error: SessionRegistryError): void {
    this.onLeaseLost?.(error)
  }

  /** Adds a nested run. */
  nest(run: RedisTurnRun<T>, settled: Promise<void>): void {
    this.#nested.set(run, settled)
    void settled.then(() => this.#nested.delete(run))
  }

  /** Fulfils when no nested run is left. */
  async nestedSettled(): Promise<void> {
    while (this.#nested.size > 0) await Promise.all(this.#nested.values())
  }
}
