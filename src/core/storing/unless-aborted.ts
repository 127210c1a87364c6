import { abortReason, onAbort } from '../async/abort-listeners.ts'

/**
 * Settles as `promise` does, or rejects with the signal's reason as soon as it aborts.
 *
 * The work behind the promise goes on, so it must have no effect: this is for reads.
 */
export async function unlessAborted<R>(promise: PromiseLike<R>, signal: AbortSignal): Promise<R> {
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
