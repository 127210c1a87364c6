import { type EndReason, isExpiryReason } from '../end-reason.ts'
import type { Session } from '../session.ts'
import type { Counters } from '../stats.ts'
import type { EventQueue } from './event-queue.ts'
import { logLines } from './log-lines.ts'
import type { SweepSummary } from './session-events.ts'

/**
 * The counters, events and log lines of what happens to sessions: the same in every registry. Only in a step.
 *
 * An event without a listener and a line of a level that is off cost nothing but the check.
 */
export class SessionLog<T> {
  readonly #events: EventQueue
  readonly #counters: Counters

  constructor(events: EventQueue, counters: Counters) {
    this.#events = events
    this.#counters = counters
  }

  /**
   * Records a creation. `sessionOf` makes the session of `key`, for a listener only: what it makes may stay
   * as long as the session does.
   */
  created<K>(id: string, isLoaded: boolean, sessionOf: (key: K) => Session<T>, key: K): void {
    this.#counters.created += 1
    if (isLoaded) this.#counters.loaded += 1
    const events = this.#events
    if (!events.mayEmit('created')) return
    const kind = logLines.created
    const logged = events.isLogged(kind.level) ? kind.line(id, isLoaded) : undefined
    if (events.mayHaveListeners('created')) events.enqueue('created', [sessionOf(key)], logged)
    else if (logged !== undefined) events.enqueue('', [], logged)
  }

  /** Whether the end of a session for this reason is emitted or logged: else {@link countEnd} is enough. */
  isEndObserved(reason: EndReason): boolean {
    const events = this.#events
    if (events.mayHaveListeners('ended') || events.isLogged(logLines.ended.level)) return true
    if (!isExpiryReason(reason)) return false
    return events.mayHaveListeners('expired') || events.isLogged(logLines.expired.level)
  }

  countEnd(reason: EndReason): void {
    this.#counters.countEnd(reason)
  }

  /** Records an end that is observed. */
  ended(session: Session<T>, reason: EndReason): void {
    this.countEnd(reason)
    if (isExpiryReason(reason)) this.#enqueueEnd('expired', session, reason)
    this.#enqueueEnd('ended', session, reason)
  }

  /** Records an archive attempt that failed. */
  archiveFailed(id: string, attempt: number, error: unknown): void {
    this.#counters.archiveFailures += 1
    const kind = logLines.archiveFailed
    if (this.#events.isLogged(kind.level)) this.#events.log(kind.line(id, attempt, error))
  }

  /** Whether a sweep that retired sessions is emitted or logged. */
  get isSweepObserved(): boolean {
    return this.#events.mayHaveListeners('swept') || this.#events.isLogged(logLines.swept.level)
  }

  /** Counts a sweep. `at`: epoch milliseconds of its end. */
  countSweep(at: number, { expired, durationMs }: Omit<SweepSummary, 'remaining'>): void {
    this.#counters.lastSweep = { at: Math.round(at), expired, durationMs }
  }

  /** Emits and logs a sweep. One that retired no session has no event. */
  swept(summary: SweepSummary): void {
    const kind = summary.expired > 0 ? logLines.swept : logLines.sweptNothing
    const logged = this.#events.isLogged(kind.level) ? kind.line(summary) : undefined
    if (summary.expired > 0) this.#events.enqueue('swept', [summary], logged)
    else if (logged !== undefined) this.#events.enqueue('', [], logged)
  }

  #enqueueEnd(event: 'expired' | 'ended', session: Session<T>, reason: EndReason): void {
    const kind = logLines[event]
    const logged = this.#events.isLogged(kind.level) ? kind.line(session.id, session, reason) : undefined
    this.#events.enqueue(event, [session, reason], logged)
  }
}
