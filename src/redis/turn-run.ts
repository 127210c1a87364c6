import type { SessionRegistryError } from '../core/errors.ts'
import type { QueueEntry } from '../core/linked-queue.ts'
import { TurnCall } from '../core/turn-call.ts'
import type { RedisSession } from './redis-session.ts'
import type { HoldUser } from './shared-holds.ts'
import type { TurnPlace } from './turn-place.ts'

/** A call of `run` in the registry of many processes. */
export class RedisTurnRun<T> extends TurnCall<T> implements HoldUser {
  declare readonly outer: RedisTurnRun<T> | undefined
  /** Its place in the line of its id, while it waits. */
  entry: QueueEntry<RedisTurnRun<T>> | undefined = undefined
  /** The session of the turn, from its beginning. */
  session: RedisSession<T> | undefined = undefined
  /** Its lock, or its part of a hold. */
  place: TurnPlace | undefined = undefined
  /** Called when its lock or its hold is gone. */
  whenLost: ((error: SessionRegistryError) => void) | undefined = undefined
  readonly #nested = new Set<Promise<void>>()

  lost(error: SessionRegistryError): void {
    this.whenLost?.(error)
  }

  /** A run that has joined this one. */
  nest(settled: Promise<void>): void {
    this.#nested.add(settled)
    void settled.then(() => this.#nested.delete(settled))
  }

  /** Fulfils when nothing that is nested in this run goes on. */
  async nestedSettled(): Promise<void> {
    while (this.#nested.size > 0) await Promise.all(this.#nested)
  }
}
