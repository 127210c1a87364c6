/** A way to keep sessions in memory, as a server uses it. */
export interface Contender {
  /** Returns the value of the live session, or of a new one, and restarts its timeout. */
  getOrCreate(id: string): unknown
  /** The number of sessions in memory. */
  size(): number
  /** Removes expired sessions in one go; absent if the library cannot. */
  sweep?(): void
  close(): void
}

export interface ContenderOptions {
  readonly timeoutMs: number
  /** The interval of its background sweep, if it has one. */
  readonly intervalMs: number
  /** Called with each expired session, if the library reports them. */
  readonly onExpired?: ((id: string) => void) | undefined
  /** Whether the clock is moved by hand, so that no reading may be cached. */
  readonly isClockMoved?: boolean
}

/** Timeout of twenty minutes, sweep every five: nothing expires during a measurement. */
export const usualTiming: ContenderOptions = { timeoutMs: 20 * 60_000, intervalMs: 5 * 60_000 }

export type MakeContender = (options: ContenderOptions) => Contender

/** The value of every session: one object for all, so that bytes per session exclude key and value. */
export const sessionValue = { messages: [] }
