import { abortReason, onAbort } from '../core/async/abort-listeners.ts'

/** Settles as the promise does, or rejects with the reason of the signal as soon as it aborts. */
export async function untilAborted<R>(promise: Promise<R>, signal: AbortSignal): Promise<R> {
  let stopListening = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stopListening = onAbort(signal, () => reject(abortReason(signal)))
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    stopListening()
  }
}
