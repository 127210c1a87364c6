import { TurnCall } from '../core/turn-call.ts'
import type { RedisSession } from './redis-session.ts'
import type { SessionLease } from './session-lease.ts'

/** A call of `run` in the registry of many processes. */
export class RedisTurnRun<T> extends TurnCall<T> {
  declare readonly outer: RedisTurnRun<T> | undefined
  /** The session of the turn, from its beginning. */
  session: RedisSession<T> | undefined = undefined
  /** Its lock, or the hold of a turn that only joins. */
  lease: SessionLease<T> | undefined = undefined
  readonly #nested = new Set<Promise<void>>()

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

/** The turns of one id in this process: those of other processes stand in no line with them. */
export class TurnLine<T> {
  readonly id: string
  readonly queue: RedisTurnRun<T>[] = []
  running: RedisTurnRun<T> | undefined = undefined
  /** Whether it is about to take the lock for the first in the queue. */
  isEntering = false

  constructor(id: string) {
    this.id = id
  }

  /** Whether a turn that excludes others would have to wait. */
  get isBusy(): boolean {
    return this.running !== undefined || this.queue.length > 0
  }

  /** Takes a waiting turn out. */
  take(run: RedisTurnRun<T>): void {
    const index = this.queue.indexOf(run)
    if (index >= 0) this.queue.splice(index, 1)
  }

  failAll(error: unknown): void {
    for (const run of this.queue.splice(0)) run.fail(error, 'over')
  }
}
