import { startTimer, type TimerHost } from '../async/contained-timer.ts'
import { storeFailedError, storeTimeoutError } from '../errors/store-errors.ts'
import type { CheckedStore } from './checked-store.ts'

/** Closes a store, within a time. A failure is an `error`; the promise fulfils in any case. */
export async function closeStore(store: CheckedStore, host: TimerHost, limitMs: number): Promise<void> {
  try {
    await closeWithin(store, host, limitMs)
  } catch (error) {
    host.events.reportError(storeFailedError('close', error), 'the store could not be closed')
  }
}

function closeWithin(store: CheckedStore, host: TimerHost, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onTimeout = () => reject(storeTimeoutError(limitMs))
    const options = { keepsAlive: true, catchesUp: true }
    const timer = startTimer(host, onTimeout, limitMs, 'the deadline of `close` could not be set', options)
    host.events.context
      .run(() => store.close())
      .then(resolve, reject)
      .finally(() => timer?.cancel())
  })
}
