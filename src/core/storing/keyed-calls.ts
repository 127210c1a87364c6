import { pause } from './pause.ts'
import { unlessAborted } from './unless-aborted.ts'

/** The time that an aborted write has left to report its outcome, in milliseconds. Most need a few. */
const graceMs = 1_000

/**
 * Calls to a back end that cannot be aborted, in order for each key.
 *
 * Writes of one key run one after the other, and a read waits for the earlier ones. A write whose signal
 * aborts has the grace to report its outcome; then its caller is rejected with the signal's reason, and later
 * calls still wait until the write has settled. So, within one store, an abandoned write never takes effect
 * after a later call of the same session.
 */
export class KeyedCalls {
  /** For each key, a promise that fulfils when its last write has settled. */
  readonly #lastWrites = new Map<string, Promise<void>>()

  /** Reads a key, after its earlier writes. */
  async read<R>(key: string, signal: AbortSignal, call: () => PromiseLike<R>): Promise<R> {
    signal.throwIfAborted()
    await unlessAborted(this.#lastWrites.get(key) ?? Promise.resolve(), signal)
    return unlessAborted(call(), signal)
  }

  /** Writes a key, after its earlier writes. */
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

/** Reports whether a call settles before the grace after its abort has passed. */
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
