import { type EndReason, isExpiryReason } from '../end-reason.ts'
import type { Session } from '../session.ts'
import type { Counters } from '../stats.ts'
import { createdChannel, endedChannel, sweptChannel } from '../watching/channels.ts'
import type { EventQueue } from './event-queue.ts'
import { endFields, logLines } from './log-lines.ts'
import type { SweepSummary } from './session-events.ts'

/**
 * The counters, events, log lines and messages of what happens to sessions: the same in every registry. Only
 * in a step.
 *
 * An event without a listener, a line of a level that is off, and a message without a subscriber cost nothing
 * but the check.
 */
export class SessionLog<T> {
  readonly #events: EventQueue
  readonly #counters: Counters

  constructor(events: EventQueue, counters: Counters) {
    this.#events = events
    this.#counters = counters
  }

  /**
   * Records a creation. `sessionOf` makes the session of `key`, for a listener or a subscriber only: what it
   * makes may stay as long as the session does.
   */
  created<K>(id: string, isLoaded: boolean, sessionOf: (key: K) => Session<T>, key: K): void {
    this.#counters.created += 1
    if (isLoaded) this.#counters.loaded += 1
    const events = this.#events
    const isWatched = createdChannel.hasSubscribers
    if (!isWatched && !events.mayEmit('created')) return
    const kind = logLines.created
    const logged = events.isLogged(kind.level) ? kind.line(id, isLoaded) : undefined
    if (isWatched || events.mayHaveListeners('created')) {
      const session = sessionOf(key)
      events.enqueue('created', [session], logged, events.channels.created(session, isLoaded))
    } else if (logged !== undefined) {
      events.enqueue('', [], logged)
    }
  }

  /**
   * Whether the end of a session for this reason is emitted, logged or published: else {@link countEnd} is
   * enough.
   */
  isEndObserved(reason: EndReason): boolean {
    const events = this.#events
    if (endedChannel.hasSubscribers) return true
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

  /** Whether a sweep that retired sessions is emitted, logged or published. */
  get isSweepObserved(): boolean {
    if (sweptChannel.hasSubscribers) return true
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
    const { channels } = this.#events
    if (summary.expired > 0) this.#events.enqueue('swept', [summary], logged, channels.swept(summary))
    else if (logged !== undefined) this.#events.enqueue('', [], logged)
  }

  #enqueueEnd(event: 'expired' | 'ended', session: Session<T>, reason: EndReason): void {
    const kind = logLines[event]
    const logged = this.#events.isLogged(kind.level) ? kind.line(session.id, session, reason) : undefined
    // There is no channel for `expired`: its session has ended.
    const message =
      event === 'ended' ? this.#events.channels.ended(session, () => endFields(session, reason)) : undefined
    this.#events.enqueue(event, [session, reason], logged, message)
  }
}
