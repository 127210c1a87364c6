import { abortReason, onAbort } from '../async/abort-listeners.ts'
import { realClock, Timer } from '../time/clock.ts'

/**
 * Waits `ms` milliseconds of the real clock, for something that happens outside of this process.
 *
 * Rejects with the signal's reason when it aborts. Keeps the process alive, since a call waits.
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopListening = () => {}
    const onElapsed = () => {
      stopListening()
      resolve()
    }
    const timer = new Timer(realClock, onElapsed, ms, { keepsAlive: true })
    if (signal === undefined) return
    stopListening = onAbort(signal, () => {
      timer.cancel()
      reject(abortReason(signal))
    })
  })
}
