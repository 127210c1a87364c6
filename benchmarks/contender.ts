/** One way to keep sessions, seen through what a server does with it. */
export interface Contender {
  /**
   * The value of the live session, or of a new one. The timeout starts again, by as many calls as that takes.
   */
  getOrCreate(id: string): unknown
  /** How many it holds in memory. */
  size(): number
  /** One look for what is over, in one go; absent where there is none. */
  sweep?(): void
  close(): void
}

export interface ContenderOptions {
  readonly timeoutMs: number
  /** How often it looks in the background for what is over, where it can be told. */
  readonly intervalMs: number
  /** Called with each session that ended by time, where it can be told. */
  readonly onExpired?: ((id: string) => void) | undefined
  /** The clock is moved by hand: nothing may be taken from it that is older than the call. */
  readonly isClockMoved?: boolean
}

/** Twenty minutes without a use, a look every five: nothing is over while it is measured. */
export const usualTiming: ContenderOptions = { timeoutMs: 20 * 60_000, intervalMs: 5 * 60_000 }

export type MakeContender = (options: ContenderOptions) => Contender

/**
 * What every session holds. The same object for all, so that bytes per session are those beyond key and
 * value.
 */
export const sessionValue = { messages: [] }
