import { pause } from '../../core/storing/pause.ts'
import { type Backoff, backoffMs, jitter } from '../../core/time/backoff.ts'
import { realClock } from '../../core/time/clock.ts'
import { isBusy } from './sqlite-database.ts'

/** The longest time for which a call without a signal is repeated, in milliseconds. */
const maxWaitMs = 30_000

const backoff: Backoff = { firstMs: 4, maxMs: 75 }

/**
 * Calls SQLite synchronously, and again while another connection holds the lock.
 *
 * The event loop runs between two attempts. Rejects with the signal's reason when it aborts.
 */
export async function repeatWhileBusy<R>(signal: AbortSignal | undefined, call: () => R): Promise<R> {
  const startedAt = realClock.now()
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted()
    try {
      return call()
    } catch (error) {
      if (!isBusy(error) || realClock.now() - startedAt >= maxWaitMs) throw error
    }
    await pause(jitter(backoffMs(attempt, backoff)), signal)
  }
}
