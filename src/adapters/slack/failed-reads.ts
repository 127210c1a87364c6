/** Most failures that are kept with their error: a database that is away fails for every channel. */
const maxFailures = 1_000

/** Most ids of reads that succeeded, kept once there were more failures than that. */
const maxSuccesses = 100_000

/**
 * The ids whose last read failed.
 *
 * An id is forgotten when a read of it succeeds. Forgetting one of too many would permit what must not
 * happen, so from then on every id counts as failed that was not read since: Bolt reads before it writes.
 */
export class FailedReads {
  readonly #failures = new Map<string, unknown>()
  /** The ids that were read since there were too many failures, least recently read first. */
  #successes: Set<string> | undefined

  /** Whether the last read of the id failed, or may have failed. */
  has(id: string): boolean {
    return this.#successes === undefined ? this.#failures.has(id) : !this.#successes.has(id)
  }

  /** The error of the last read of the id, where it was kept. */
  errorOf(id: string): unknown {
    return this.#failures.get(id)
  }

  add(id: string, error: unknown): void {
    if (this.#successes !== undefined) {
      this.#successes.delete(id)
      return
    }
    this.#failures.set(id, error)
    if (this.#failures.size <= maxFailures) return
    this.#failures.clear()
    this.#successes = new Set()
  }

  delete(id: string): void {
    this.#failures.delete(id)
    if (this.#successes === undefined) return
    this.#successes.delete(id)
    this.#successes.add(id)
    const [oldest] = this.#successes
    if (this.#successes.size > maxSuccesses && oldest !== undefined) this.#successes.delete(oldest)
  }
}
