import { onAbort } from '../core/async/abort-listeners.ts'
import { type Clock, realClock, Timer } from '../core/time/clock.ts'

/** A wait that can be ended early. */
export interface Pause {
  /** Fulfils when the time is up, and as soon as the pause is ended. */
  readonly elapsed: Promise<void>
  finish(): void
}

export interface PauseOptions {
  /** Whether the process stays alive meanwhile, `true` by default: a caller waits for what comes after it. */
  readonly keepsAlive?: boolean
  /** Ends the pause when it aborts. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/** Begins a pause of `ms` milliseconds. */
export function pause(
  ms: number,
  { keepsAlive = true, signal, clock = realClock }: PauseOptions = {},
): Pause {
  let stopListening = () => {}
  let finish = () => {}
  const elapsed = new Promise<void>((resolve) => {
    const timer = new Timer(clock, () => finish(), ms, { keepsAlive })
    finish = () => {
      timer.cancel()
      stopListening()
      resolve()
    }
  })
  if (signal !== undefined) stopListening = onAbort(signal, () => finish())
  return { elapsed, finish }
}
