import { pause } from './pause.ts'
import { unlessAborted } from './unless-aborted.ts'

/** How long a write that was aborted may still take to report its outcome. Most need a few milliseconds. */
const graceMs = 1_000

/**
 * Calls to a back end that cannot be told to stop.
 *
 * Writes of one key are performed one after the other, and a read waits for those that were asked before it.
 * A write whose signal aborts is waited for a little longer, since its outcome is worth knowing, and is then
 * abandoned: its caller learns the signal's reason. The calls after it still wait until it has settled. So,
 * within one store, nothing that was given up takes effect after a later call of the same session.
 */
export class KeyedCalls {
  /** For each key, what settles when the last of its writes has. */
  readonly #lastWrites = new Map<string, Promise<void>>()

  /** Performs a read of this key. */
  async read<R>(key: string, signal: AbortSignal, call: () => PromiseLike<R>): Promise<R> {
    signal.throwIfAborted()
    await unlessAborted(this.#lastWrites.get(key) ?? Promise.resolve(), signal)
    return unlessAborted(call(), signal)
  }

  /** Performs a write of this key. */
  async write<R>(key: string, signal: AbortSignal, call: () => PromiseLike<R>): Promise<R> {
    signal.throwIfAborted()
    const before = this.#lastWrites.get(key) ?? Promise.resolve()
    const outcome = unlessAborted(before, signal).then(call)
    const settled = outcome.then(
      () => {},
      () => {},
    )
    this.#append(key, Promise.all([before, settled]))
    if (!(await settlesInTime(settled, signal))) throw signal.reason
    return outcome
  }

  #append(key: string, settled: Promise<unknown>): void {
    const last = settled.then(() => {
      if (this.#lastWrites.get(key) === last) this.#lastWrites.delete(key)
    })
    this.#lastWrites.set(key, last)
  }
}

/** Reports whether a call settles before its signal has been aborted for the time of grace. */
async function settlesInTime(settled: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const inTime = settled.then(() => true)
  try {
    return await unlessAborted(inTime, signal)
  } catch {
    const done = new AbortController()
    const late = pause(graceMs, done.signal).then(
      () => false,
      () => false,
    )
    const result = await Promise.race([inTime, late])
    done.abort()
    return result
  }
}
