import { pause } from '../../core/storing/pause.ts'
import { realClock } from '../../core/time/clock.ts'
import { isBusy } from './sqlite-database.ts'

/** How long a call without a signal is repeated. */
const patienceMs = 30_000

const longestPauseMs = 50

/**
 * Makes a synchronous call of SQLite, and makes it again while another connection holds the lock.
 *
 * Between two tries the event loop is free. Rejects with the signal's reason when it aborts.
 */
export async function repeatWhileBusy<R>(signal: AbortSignal | undefined, call: () => R): Promise<R> {
  const startedAt = realClock.now()
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    signal?.throwIfAborted()
    try {
      return call()
    } catch (error) {
      if (!isBusy(error) || realClock.now() - startedAt >= patienceMs) throw error
    }
    // At random, so that two that wait do not meet each time.
    await pause(pauseMs * (0.5 + Math.random()), signal)
  }
}
