import { isSessionRegistryError } from 'session-registry'

/** What a caller may be told in the midst of faults. */
const allowed = new Set([
  'ERR_SESSION_BACKEND_UNAVAILABLE',
  'ERR_SESSION_BUSY',
  // Its lock had lapsed, and another process has archived it meanwhile.
  'ERR_SESSION_ENDED',
  'ERR_SESSION_LOCK_LOST',
  'ERR_SESSION_REGISTRY_CLOSED',
])

const timerSlackMs = 50

/** Knows what was promised to the visitors of a random program, and writes down what is not kept. */
export class Witness {
  readonly problems: string[] = []
  readonly #acknowledged = new Map<string, string[]>()
  readonly #said = new Map<string, Set<string>>()
  readonly #archiving = new Map<string, AbortSignal>()
  /** Claims that a process has begun to archive, by life. */
  readonly #begun = new Map<string, Set<string>>()
  turns = 0
  archives = 0

  /** A word that a visitor is about to say. */
  says(id: string, word: string): void {
    const said = this.#said.get(id) ?? new Set()
    this.#said.set(id, said.add(word))
  }

  /** What a turn finds must have all that was acknowledged before it began, once each. */
  sees(id: string, value: readonly string[], by: string): void {
    const said = this.#said.get(id) ?? new Set()
    const acknowledged = this.#acknowledged.get(id) ?? []
    const missing = acknowledged.filter((word) => !value.includes(word))
    if (missing.length > 0) {
      this.problems.push(`${by} of ${id} sees [${value}], but not [${missing}], which was acknowledged`)
    }
    if (new Set(value).size !== value.length)
      this.problems.push(`${by} of ${id} sees a word twice: [${value}]`)
    for (const word of value) if (!said.has(word)) this.problems.push(`nobody said ${word} to ${id}`)
  }

  acknowledged(id: string, word: string): void {
    const words = this.#acknowledged.get(id) ?? []
    this.#acknowledged.set(id, [...words, word])
    this.turns += 1
  }

  rejected(error: unknown, isGone: boolean): void {
    if (isGone || (isSessionRegistryError(error) && allowed.has(error.code))) return
    this.problems.push(`a call was rejected with ${error instanceof Error ? error.stack : error}`)
  }

  failed(error: unknown): void {
    if (isSessionRegistryError(error, 'ERR_SESSION_ARCHIVE_FAILED') && error.session !== undefined) return
    if (isSessionRegistryError(error, 'ERR_SESSION_BACKEND_UNAVAILABLE')) return
    this.problems.push(`an error event: ${error instanceof Error ? error.stack : error}`)
  }

  /** Returns what to call when the hook has settled. */
  archiveBegan(id: string, incarnation: string, attempt: number, signal: AbortSignal): () => void {
    this.archives += 1
    const other = this.#archiving.get(id)
    if (other !== undefined) setTimeout(() => this.#overlapped(id, other), timerSlackMs)
    this.#archiving.set(id, signal)
    const begun = this.#begun.get(incarnation)?.size ?? 0
    if (attempt > begun) this.problems.push(`attempt ${attempt} of ${id}, and ${begun} were begun`)
    return () => {
      if (this.#archiving.get(id) === signal) this.#archiving.delete(id)
    }
  }

  /** One that has lost its lease is told so, before another begins or, on a busy machine, at that moment. */
  #overlapped(id: string, other: AbortSignal): void {
    if (!other.aborted) this.problems.push(`two archives of ${id} at once`)
  }

  /**
   * A process begins to archive a life under this claim. Where the answer is lost, the hook is not called.
   */
  begins(incarnation: string, claim: string): void {
    const begun = this.#begun.get(incarnation) ?? new Set()
    this.#begun.set(incarnation, begun.add(claim))
  }

  /** At the end, where nothing is under way any more. */
  expectStored(values: ReadonlyMap<string, readonly string[]>): void {
    for (const id of this.#acknowledged.keys()) this.sees(id, values.get(id) ?? [], 'the store')
  }
}
