import { emitWarning } from '../../core/process/warning.ts'

/** The number of ids whose reads outside of turns are kept; beyond it, all are forgotten. */
const maxIds = 1_000

/** The values of one id that were read outside of turns, between two turns of `sessionTurns`. */
interface Reads {
  readonly id: string
  /** Whether a turn of the id has begun after these reads, and succeeded. */
  areStale: boolean
}

/**
 * Warns once if a value is read outside of turns and written after a turn of `sessionTurns` of the same id:
 * that is what `session()` does when it is used before `sessionTurns`, and no turn protects its session.
 */
export class StaleWrites {
  readonly #reads = new Map<string, Reads>()
  readonly #readsOf = new WeakMap<object, Reads>()
  #hasWarned = false

  /** A value was read outside of a turn. */
  onRead(id: string, value: unknown): void {
    if (this.#hasWarned || typeof value !== 'object' || value === null) return
    let reads = this.#reads.get(id)
    if (reads === undefined) {
      if (this.#reads.size >= maxIds) this.#reads.clear()
      reads = { id, areStale: false }
      this.#reads.set(id, reads)
    }
    this.#readsOf.set(value, reads)
  }

  /** A turn begins. Returns a function to call when it has succeeded. */
  onTurn(id: string): () => void {
    // Later reads may have what this turn writes.
    const reads = this.#reads.get(id)
    this.#reads.delete(id)
    return () => {
      if (reads !== undefined) reads.areStale = true
    }
  }

  /** A value is to be written. */
  onWrite(id: string, value: unknown): void {
    if (this.#hasWarned || typeof value !== 'object' || value === null) return
    const reads = this.#readsOf.get(value)
    if (reads?.id !== id || !reads.areStale) return
    this.#hasWarned = true
    this.#reads.clear()
    emitWarning(
      'A chat session was read before a turn of `sessionTurns` and written after it, so that changes are lost when two updates come at once: use `sessionTurns` before `session()`',
    )
  }
}

const checks = new WeakMap<object, StaleWrites>()

/** Returns the check of a source, which its `sessionTurns` and its `sessionStorage` share. */
export function startStaleWrites(source: object): StaleWrites {
  const check = checks.get(source) ?? new StaleWrites()
  checks.set(source, check)
  return check
}

/** Returns the check of a source; `undefined` without a `sessionTurns`. */
export function findStaleWrites(source: object): StaleWrites | undefined {
  return checks.get(source)
}
