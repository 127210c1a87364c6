import { randomUUID } from 'node:crypto'
import { type InspectOptions, inspect } from 'node:util'
import { checkPositive } from '../../core/options/validate.ts'
import type { Session, SessionFields } from '../../core/session.ts'
import { fieldsOf, inspectSession } from '../../core/session-fields.ts'
import type { FullClock } from '../../core/time/clock.ts'
import { noSlot, type SessionTable } from '../table/session-table.ts'
import type { SessionRecord } from './session-record.ts'

/** What a view reads and writes beside its record. */
export interface ViewHost<T> {
  readonly clock: FullClock
  readonly table: SessionTable<T, object>
  /** A session got another idle timeout: the background sweep may have to begin. */
  onTimeoutAssigned(): void
}

/**
 * The public face of a record, made when somebody first asks for it and the same object from then on.
 *
 * Most sessions live and end without one: only events, `peek`, `sessions()`, turns and archives show it.
 */
export class SessionView<T> implements Session<T> {
  readonly #record: SessionRecord<T>
  readonly #host: ViewHost<T>
  #incarnation: string | undefined
  #createdAt: number | undefined
  /** Monotonic time of the end; from then on the times stand still. */
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
    // Taken once and kept, so that a jump of the wall clock moves no time that was shown.
    this.#createdAt ??= this.#wallTimeOfCreation()
    return this.#createdAt
  }

  get lastActiveAt(): number {
    const { lastActive, created } = this.#record
    return Math.round(this.createdAt + (this.held ? this.#now - created : lastActive - created))
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
    if (timeoutMs !== undefined) checkPositive('timeoutMs', timeoutMs)
    const { clock, table } = this.#host
    const { slot } = this.#record
    if (slot === noSlot || table.isExpired(slot, clock.now())) return
    table.assignTimeout(slot, timeoutMs)
    this.#host.onTimeoutAssigned()
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

  /** The session has ended: its times stand still. */
  end(now: number): void {
    this.#endedAt = now
  }

  /** The session was handed back: its times start anew. */
  restart(): void {
    this.#createdAt = undefined
  }

  #wallTimeOfCreation(): number {
    const { clock } = this.#host
    return Math.round(clock.date() - (clock.now() - this.#record.created))
  }

  get #now(): number {
    return this.#endedAt ?? this.#host.clock.now()
  }
}
