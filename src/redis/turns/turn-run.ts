import type { QueueEntry } from '../../core/async/linked-queue.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { TurnCall } from '../../core/turns/turn-call.ts'
import type { HoldUser } from '../holds/shared-holds.ts'
import type { RedisSession } from '../redis-session.ts'
import type { TurnLease } from './turn-lease.ts'

/** A call of `run` in the registry of many processes. */
export class RedisTurnRun<T> extends TurnCall<T> implements HoldUser {
  declare readonly outer: RedisTurnRun<T> | undefined
  /**
   * Whether it is brought to life where it is absent; else the turn is not called, and its result is
   * `undefined`.
   */
  mayCreate = true
  /** Its place in the line of its id, while it waits. */
  entry: QueueEntry<RedisTurnRun<T>> | undefined = undefined
  /** The session of the turn, until its function and what is nested in it have settled. */
  session: RedisSession<T> | undefined = undefined
  /** Its lock, or its part of a hold. */
  lease: TurnLease | undefined = undefined
  /** Called when its lock or its hold is gone. */
  onLeaseLost: ((error: SessionRegistryError) => void) | undefined = undefined
  /** Called when the turn that this one is nested in need not wait for it any more. */
  leaveOuter: (() => void) | undefined = undefined
  /** The runs that have joined this one, and when each has settled. */
  readonly #nested = new Map<RedisTurnRun<T>, Promise<void>>()

  /** Whether it runs beside others, and what is nested in it has no part in it: it excludes nobody. */
  get isJoining(): boolean {
    return this.whenBusy === 'join' && this.outer === undefined
  }

  get nested(): Iterable<RedisTurnRun<T>> {
    return this.#nested.keys()
  }

  onLost(error: SessionRegistryError): void {
    this.onLeaseLost?.(error)
  }

  /** A run has joined this one. */
  nest(run: RedisTurnRun<T>, settled: Promise<void>): void {
    this.#nested.set(run, settled)
    void settled.then(() => this.#nested.delete(run))
  }

  /** Fulfils when nothing that is nested in this run goes on. */
  async nestedSettled(): Promise<void> {
    while (this.#nested.size > 0) await Promise.all(this.#nested.values())
  }
}
