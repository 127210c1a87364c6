import { openSync, readSync } from 'node:fs'

/**
 * How long the main thread was ready and had no processor, as Linux counts it (the second number of
 * `schedstat`).
 *
 * Where a collection has more helpers than there are processors, the scheduler lets each of them have its
 * turn, of some milliseconds. Whatever the loop was just doing then looks slow.
 */
export class CpuWait {
  readonly #file = openIfPresent('/proc/self/schedstat')
  readonly #text = Buffer.alloc(128)

  /** Since the process began; `undefined` where the system does not say. */
  get ms(): number | undefined {
    if (this.#file === undefined) return undefined
    const bytes = readSync(this.#file, this.#text, 0, this.#text.length, 0)
    return Number(this.#text.toString('latin1', 0, bytes).split(' ')[1]) / 1e6
  }
}

function openIfPresent(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}
