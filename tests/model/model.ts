/** A session of the model. */
export interface ModelSession {
  readonly id: string
  value: string
  readonly created: number
  lastActive: number
  /** Orders activity where the clock stood still. */
  touched: number
  timeoutMs: number
  holds: number
}

export interface ModelOptions {
  readonly timeoutMs: number
  readonly intervalMs: number
  readonly maxAgeMs: number
  readonly maxSessions: number
  readonly whenFull: 'evict' | 'reject'
}

/**
 * A model of the registry in the simplest code: an array, full scans, exact deadlines.
 *
 * It has no ticks, lists, slices or timers; only the time of the next background sweep.
 */
export class Model {
  readonly options: ModelOptions
  readonly counts = { created: 0, expired: 0, evicted: 0, deleted: 0, hits: 0, misses: 0 }
  sessions: ModelSession[] = []
  nextSweepAt: number | undefined
  #touches = 0

  constructor(options: ModelOptions) {
    this.options = options
  }

  find(id: string): ModelSession | undefined {
    return this.sessions.find((session) => session.id === id)
  }

  isExpired({ holds, created, lastActive, timeoutMs }: ModelSession, now: number): boolean {
    if (holds > 0) return false
    return now - lastActive >= timeoutMs || now - created >= this.options.maxAgeMs
  }

  reasonOf({ created, lastActive, timeoutMs }: ModelSession): 'idle' | 'age' {
    return created + this.options.maxAgeMs < lastActive + timeoutMs ? 'age' : 'idle'
  }

  live(id: string, now: number): ModelSession | undefined {
    const session = this.find(id)
    return session === undefined || this.isExpired(session, now) ? undefined : session
  }

  /** Returns the deadline of a session. */
  expiresAt({ holds, lastActive, created, timeoutMs }: ModelSession): number {
    if (holds > 0) return Number.POSITIVE_INFINITY
    return Math.min(lastActive + timeoutMs, created + this.options.maxAgeMs)
  }

  expired(now: number): ModelSession[] {
    return this.sessions.filter((session) => this.isExpired(session, now))
  }

  touch(session: ModelSession, now: number): void {
    this.#touches += 1
    session.lastActive = now
    session.touched = this.#touches
  }

  /** Returns the sessions that could be evicted, least recently active first. */
  evictable(): ModelSession[] {
    return this.sessions.filter(({ holds }) => holds === 0).toSorted((a, b) => a.touched - b.touched)
  }

  add(id: string, value: string, timeoutMs: number | undefined, now: number): void {
    const { options } = this
    const session = { id, value, created: now, lastActive: now, touched: 0, holds: 0 }
    this.sessions.push({ ...session, timeoutMs: timeoutMs ?? options.timeoutMs })
    this.touch(this.sessions[this.sessions.length - 1] as ModelSession, now)
    this.counts.created += 1
    this.schedule(now)
  }

  remove(session: ModelSession, counted: 'expired' | 'evicted' | 'deleted' | undefined, now: number): void {
    this.sessions = this.sessions.filter((other) => other !== session)
    if (counted !== undefined) this.counts[counted] += 1
    this.schedule(now)
  }

  /** Schedules the next sweep one interval after the first session that can expire. */
  schedule(now: number): void {
    const { maxAgeMs, intervalMs } = this.options
    const canEnd = this.sessions.some(
      ({ timeoutMs }) => Math.min(timeoutMs, maxAgeMs) < Number.POSITIVE_INFINITY,
    )
    if (!canEnd) this.nextSweepAt = undefined
    else this.nextSweepAt ??= now + intervalMs
  }
}

/** Longest time by which an evicted session may be more recently active than the least one. */
export function tickMsOf({ timeoutMs }: ModelSession): number {
  return timeoutMs === Number.POSITIVE_INFINITY ? 0 : Math.min(timeoutMs / 128, 10_000)
}
