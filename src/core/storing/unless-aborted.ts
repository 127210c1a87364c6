/**
 * Settles as `promise` does, or rejects with the signal's reason as soon as it aborts.
 *
 * What the promise stands for goes on: this is for reads, which have no effect.
 */
export async function unlessAborted<R>(promise: PromiseLike<R>, signal: AbortSignal): Promise<R> {
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    stop = () => signal.removeEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    stop()
  }
}
