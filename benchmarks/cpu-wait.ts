import { openSync, readSync } from 'node:fs'

/**
 * A reader of the time that the main thread was runnable without a processor (the second number of Linux'
 * `schedstat`).
 *
 * If a garbage collection has more helper threads than there are processors, the scheduler takes the
 * processor from the main thread for some milliseconds, and the current operation looks slow.
 */
export class CpuWait {
  readonly #file = openIfPresent('/proc/self/schedstat')
  readonly #text = Buffer.alloc(128)

  /** Milliseconds since the process started; `undefined` if the system has no `schedstat`. */
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
