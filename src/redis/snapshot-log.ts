import type { EndReason } from '../core/end-reason.ts'
import type { EventQueue } from '../core/events/event-queue.ts'
import { type Failure, logLines } from '../core/events/log-lines.ts'
import { SessionLog } from '../core/events/session-log.ts'
import type { Step } from '../core/events/step.ts'
import type { Counters } from '../core/stats.ts'
import { realClock } from '../core/time/clock.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { RedisSession } from './redis-session.ts'
import type { SessionSnapshot } from './storage/session-snapshot.ts'

/**
 * The events, log lines and counters of the transitions that this process makes, from snapshots of sessions.
 */
export class SnapshotLog<T> {
  readonly step: Step
  readonly events: EventQueue
  readonly counters: Counters
  readonly #log: SessionLog<T>
  readonly #options: ResolvedRedisOptions<T>
  /** For each running iteration, the incarnations that ended here meanwhile: it skips them. */
  readonly activeScans = new Set<Set<string>>()
  /** Called with each incarnation that has ended here. */
  onEnded: ((snapshot: SessionSnapshot) => void) | undefined = undefined

  constructor(step: Step, counters: Counters, options: ResolvedRedisOptions<T>) {
    this.step = step
    this.events = step.events
    this.counters = counters
    this.#log = new SessionLog(step.events, counters)
    this.#options = options
  }

  sessionOf(snapshot: SessionSnapshot): RedisSession<T> {
    return new RedisSession(snapshot, this.#options.codec, this.#options)
  }

  created(snapshot: SessionSnapshot, isLoaded = false): void {
    this.step.run(() => this.#log.created(snapshot.id, isLoaded, (of) => this.sessionOf(of), snapshot))
  }

  ended(
    snapshot: SessionSnapshot,
    reason: EndReason,
    session: RedisSession<T> = this.sessionOf(snapshot),
  ): void {
    for (const ended of this.activeScans) ended.add(snapshot.incarnation)
    this.onEnded?.(snapshot)
    this.step.run(() => this.#log.ended(session, reason))
  }

  /** {@link ended} outside of any call: listeners run in the context of the registry's constructor. */
  endedInBackground(snapshot: SessionSnapshot, reason: EndReason, session: RedisSession<T>): void {
    this.step.runInBackground(() => this.ended(snapshot, reason, session))
  }

  archiveFailed(id: string, attempt: number, error: unknown): void {
    this.step.run(() => this.#log.archiveFailed(id, attempt, error))
  }

  /**
   * Emits `swept` after a poll that claimed sessions. Counting the remaining ones costs a round trip, so it
   * is done only for a listener or the log.
   */
  async swept(expired: number, durationMs: number, size: () => Promise<number>): Promise<void> {
    this.#log.countSweep(realClock.date(), { expired, durationMs })
    if (!this.#log.isSweepObserved) return
    try {
      const summary = { expired, remaining: await size(), durationMs }
      this.step.runInBackground(() => this.#log.swept(summary))
    } catch (error) {
      this.failed(error, 'sessions could not be counted')
    }
  }

  /**
   * Logs that a dead letter is live again. Not `created`: the session was created before, and has not ended.
   */
  revived(id: string): void {
    this.events.log(logLines.revived.line(id))
  }

  /** Reports a failure outside of any call. */
  failed(error: unknown, message: Failure, id?: string): void {
    this.step.runInBackground(() => this.events.reportError(error, message, id))
  }
}
