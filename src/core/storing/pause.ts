import { realClock } from '../time/clock.ts'

/**
 * Waits by the machine's time, for what happens outside of this process.
 *
 * Rejects with the signal's reason when it aborts. Keeps the process alive, since a call waits for it.
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason)
      return
    }
    const onAbort = () => {
      realClock.clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = realClock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
