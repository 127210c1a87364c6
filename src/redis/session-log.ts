import { type EndReason, isExpiryReason } from '../core/end-reason.ts'
import type { LogLine } from '../core/events/contained-emitter.ts'
import type { EventQueue } from '../core/events/event-queue.ts'
import type { Step } from '../core/events/step.ts'
import type { Counters } from '../core/stats.ts'
import { realClock } from '../core/time/clock.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { RedisSession } from './redis-session.ts'
import type { SessionSnapshot } from './storage/session-snapshot.ts'

/** The events, log lines and counters of the transitions that this process makes. */
export class SessionLog<T> {
  readonly step: Step
  readonly events: EventQueue
  readonly counters: Counters
  readonly #options: ResolvedRedisOptions<T>
  /** For each running iteration, the incarnations that ended here meanwhile: it skips them. */
  readonly activeScans = new Set<Set<string>>()
  /** Called with each incarnation that has ended here. */
  onEnded: ((snapshot: SessionSnapshot) => void) | undefined = undefined

  constructor(step: Step, counters: Counters, options: ResolvedRedisOptions<T>) {
    this.step = step
    this.events = step.events
    this.counters = counters
    this.#options = options
  }

  sessionOf(snapshot: SessionSnapshot): RedisSession<T> {
    return new RedisSession(snapshot, this.#options.codec, this.#options.timeoutMs)
  }

  created(snapshot: SessionSnapshot, isLoaded = false): void {
    this.counters.created += 1
    if (isLoaded) this.counters.loaded += 1
    const fields = isLoaded ? { loaded: true } : {}
    const line: LogLine = { level: 'info', message: 'session created', fields, id: snapshot.id }
    this.step.run(() => this.#enqueue('created', [this.sessionOf(snapshot)], line))
  }

  ended(
    snapshot: SessionSnapshot,
    reason: EndReason,
    session: RedisSession<T> = this.sessionOf(snapshot),
  ): void {
    this.counters.countEnd(reason)
    for (const ended of this.activeScans) ended.add(snapshot.incarnation)
    this.onEnded?.(snapshot)
    const { id } = snapshot
    const fields = {
      reason,
      idleMs: Math.max(snapshot.seenAt - snapshot.lastActiveAt, 0),
      ageMs: Math.max(snapshot.seenAt - snapshot.createdAt, 0),
    }
    this.step.run(() => {
      if (isExpiryReason(reason)) {
        this.#enqueue('expired', [session, reason], { level: 'info', message: 'session expired', fields, id })
      }
      this.#enqueue('ended', [session, reason], { level: 'debug', message: 'session ended', fields, id })
    })
  }

  /** {@link ended} outside of any call: listeners run in the context of the registry's constructor. */
  endedInBackground(snapshot: SessionSnapshot, reason: EndReason, session: RedisSession<T>): void {
    this.step.runInBackground(() => this.ended(snapshot, reason, session))
  }

  /**
   * Emits `swept` after a poll that claimed sessions. Counting the remaining ones costs a round trip, so it
   * is done only for a listener or the log.
   */
  async swept(expired: number, durationMs: number, size: () => Promise<number>): Promise<void> {
    this.counters.lastSweep = { at: realClock.date(), expired, durationMs }
    const isLogged = this.events.isLogged('info')
    if (!isLogged && !this.events.mayHaveListeners('swept')) return
    try {
      const summary = { expired, remaining: await size(), durationMs }
      const line: LogLine = { level: 'info', message: 'sweep done', fields: summary }
      this.step.runInBackground(() => this.events.enqueue('swept', [summary], isLogged ? line : undefined))
    } catch (error) {
      this.failed(error, 'sessions could not be counted')
    }
  }

  /**
   * Logs that a dead letter is live again. Not `created`: the session was created before, and has not ended.
   */
  revived(id: string): void {
    this.events.log({ level: 'info', message: 'dead-lettered session revived', fields: {}, id })
  }

  /** Reports a failure outside of any call. */
  failed(error: unknown, message: string, id?: string): void {
    this.step.runInBackground(() => this.events.reportError(error, message, id))
  }

  #enqueue(event: string, args: readonly unknown[], line: LogLine): void {
    this.events.enqueue(event, args, this.events.isLogged(line.level) ? line : undefined)
  }
}
