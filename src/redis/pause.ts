import { onAbort } from '../core/async/abort-listeners.ts'
import { type Clock, realClock, Timer } from '../core/time/clock.ts'

/** A wait that can be finished early. */
export interface Pause {
  /** Fulfils when the time has passed, or the wait is finished early. */
  readonly elapsed: Promise<void>
  finish(): void
}

export interface PauseOptions {
  /** Whether the process stays alive meanwhile; by default, since a caller waits for what follows. */
  readonly keepsAlive?: boolean
  /** Finishes the wait when it aborts. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/** Starts a wait of `ms` milliseconds. */
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
