import { randomUUID } from 'node:crypto'
import { type InspectOptions, inspect } from 'node:util'
import { checkOwner } from '../../core/options/call-options.ts'
import type { SessionFields } from '../../core/session.ts'
import { fieldsOf, inspectSession } from '../../core/session-fields.ts'
import type { FullClock } from '../../core/time/clock.ts'
import type { RecordView, SessionRecord } from './session-record.ts'

/** What a view needs beside its record. */
export interface ViewHost<T> {
  readonly clock: FullClock
  /** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
  assignTimeout(record: SessionRecord<T>, timeoutMs: number | undefined): void
}

/**
 * The public object of a session: made when it is first needed, and the same until the session has ended.
 *
 * Most sessions never have one. Events, `peek`, `sessions()`, turns and archives show it.
 */
export class SessionView<T> implements RecordView<T> {
  readonly #record: SessionRecord<T>
  readonly #host: ViewHost<T>
  #incarnation: string | undefined
  /** See {@link #origin}. */
  #originAt: number | undefined
  /** Monotonic time of the end, at which the times stop. */
  #endedAt: number | undefined

  constructor(record: SessionRecord<T>, host: ViewHost<T>) {
    this.#record = record
    this.#host = host
  }

  get id(): string {
    return this.#record.id
  }

  get incarnation(): string {
    this.#incarnation ??= randomUUID()
    return this.#incarnation
  }

  get value(): T {
    return this.#record.value
  }

  set value(value: T) {
    this.#record.value = value
  }

  get createdAt(): number {
    return this.#record.stored?.createdAt ?? this.#origin
  }

  get lastActiveAt(): number {
    const { lastActive, created } = this.#record
    return Math.round(this.#origin + (this.held ? this.#now - created : lastActive - created))
  }

  get idleMs(): number {
    return this.held ? 0 : this.#now - this.#record.lastActive
  }

  get ageMs(): number {
    return this.#now - this.#record.created
  }

  get timeoutMs(): number {
    return this.#record.timeoutMs
  }

  set timeoutMs(timeoutMs: number | undefined) {
    this.#host.assignTimeout(this.#record, timeoutMs)
  }

  get owner(): string | undefined {
    return this.#record.owner
  }

  set owner(owner: string | undefined) {
    if (owner !== undefined) checkOwner('owner', owner)
    this.#record.owner = owner
  }

  get held(): boolean {
    return this.#record.isHeld
  }

  toJSON(): SessionFields<T> {
    return fieldsOf(this)
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return inspectSession(this, depth, options)
  }

  /** Stops the times: the session has ended. */
  end(now: number): void {
    this.#endedAt ??= now
  }

  /** Starts the times anew: the session was restored. */
  restart(): void {
    this.#originAt = undefined
  }

  /**
   * Epoch milliseconds at which the times of the record begin: the creation of the session, or its
   * restoration. Computed once, so that a jump of the wall clock does not move a time that was already read.
   */
  get #origin(): number {
    const { clock } = this.#host
    this.#originAt ??= Math.round(clock.date() - (clock.now() - this.#record.created))
    return this.#originAt
  }

  get #now(): number {
    return this.#endedAt ?? this.#host.clock.now()
  }
}
