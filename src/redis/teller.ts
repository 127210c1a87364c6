import { type EndReason, isExpiryReason } from '../core/end-reason.ts'
import type { EventQueue, LogLine } from '../core/events/event-queue.ts'
import type { Counters } from '../core/stats.ts'
import { realClock } from '../core/time/clock.ts'
import type { Life } from './life.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { RedisSession } from './redis-session.ts'

/** Tells listeners and the log of the transitions that this process has made, and counts them. */
export class Teller<T> {
  readonly announcer: EventQueue
  readonly counters: Counters
  readonly #options: ResolvedRedisOptions<T>
  /** Lives that ended here while somebody walks: a walk passes them over. */
  readonly walks = new Set<Set<string>>()
  /** Called with each life that has ended here. */
  whenEnded: ((life: Life) => void) | undefined = undefined

  constructor(announcer: EventQueue, counters: Counters, options: ResolvedRedisOptions<T>) {
    this.announcer = announcer
    this.counters = counters
    this.#options = options
  }

  sessionOf(life: Life): RedisSession<T> {
    return new RedisSession(life, this.#options.codec, this.#options.timeoutMs)
  }

  created(life: Life, isLoaded = false): void {
    this.counters.created += 1
    if (isLoaded) this.counters.loaded += 1
    const fields = isLoaded ? { loaded: true } : {}
    this.#push('created', [this.sessionOf(life)], {
      level: 'info',
      message: 'session created',
      fields,
      id: life.id,
    })
    this.announcer.flush()
  }

  ended(life: Life, reason: EndReason, session: RedisSession<T> = this.sessionOf(life)): void {
    this.counters.countEnd(reason)
    for (const ended of this.walks) ended.add(life.incarnation)
    this.whenEnded?.(life)
    const { id } = life
    const fields = {
      reason,
      idleMs: Math.max(life.seenAt - life.lastActiveAt, 0),
      ageMs: Math.max(life.seenAt - life.createdAt, 0),
    }
    if (isExpiryReason(reason)) {
      this.#push('expired', [session, reason], { level: 'info', message: 'session expired', fields, id })
    }
    this.#push('ended', [session, reason], { level: 'debug', message: 'session ended', fields, id })
    this.announcer.flush()
  }

  /** {@link ended} for what no call has asked for: listeners run in the context of the registry's constructor. */
  endedByItself(life: Life, reason: EndReason, session: RedisSession<T>): void {
    this.announcer.inBackground(() => this.ended(life, reason, session))
  }

  /** A look at the deadlines has claimed lives; how many sessions are left is asked only if somebody wants to know. */
  async swept(expired: number, durationMs: number, size: () => Promise<number>): Promise<void> {
    this.counters.lastSweep = { at: realClock.date(), expired, durationMs }
    const isLogged = this.announcer.isLogged('info')
    if (!isLogged && !this.announcer.mayHaveListeners('swept')) return
    try {
      const summary = { expired, remaining: await size(), durationMs }
      const line: LogLine = { level: 'info', message: 'sweep done', fields: summary }
      this.announcer.inBackground(() => {
        this.announcer.enqueue('swept', [summary], isLogged ? line : undefined)
        this.announcer.flush()
      })
    } catch (error) {
      this.failed(error, 'sessions could not be counted')
    }
  }

  /** A session that could not be archived lives on: it was told to be created, and has not ended. */
  revived(id: string): void {
    this.announcer.log({ level: 'info', message: 'session taken back from the dead list', fields: {}, id })
    this.announcer.flush()
  }

  /** A failure of what no call has asked for. */
  failed(error: unknown, message: string, id?: string): void {
    this.announcer.inBackground(() => {
      this.announcer.reportError(error, message, id)
      this.announcer.flush()
    })
  }

  #push(event: string, args: readonly unknown[], line: LogLine): void {
    this.announcer.enqueue(event, args, this.announcer.isLogged(line.level) ? line : undefined)
  }
}
