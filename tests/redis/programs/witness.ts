import { type GoneSession, isSessionRegistryError } from 'session-registry'

/** Error codes that callers may get during faults. */
const allowed = new Set([
  'ERR_SESSION_BACKEND_UNAVAILABLE',
  'ERR_SESSION_BUSY',
  // Its lock had lapsed, and another process has archived it meanwhile.
  'ERR_SESSION_ENDED',
  'ERR_SESSION_LOCK_LOST',
  'ERR_SESSION_REGISTRY_CLOSED',
])

const timerSlackMs = 50

/** What the database says to a stranger, and to no one else. */
export class StrangerError extends Error {}

export function ownerOf(id: string): string {
  return `the owner of ${id}`
}

/** Records the acknowledged words of a random program, and every broken guarantee. */
export class Witness {
  readonly problems: string[] = []
  readonly #acknowledged = new Map<string, string[]>()
  readonly #words = new Map<string, Set<string>>()
  readonly #archiving = new Map<string, AbortSignal>()
  /** Claims with an archive in progress, by incarnation. */
  readonly #begun = new Map<string, Set<string>>()
  /** The latest deadline of an expired session of each id. */
  readonly #deadlines = new Map<string, number>()
  turns = 0
  refusals = 0
  archives = 0

  /** Records a word that a visitor is about to save. */
  saving(id: string, word: string): void {
    const words = this.#words.get(id) ?? new Set()
    this.#words.set(id, words.add(word))
  }

  /** Checks that a turn finds every word acknowledged before it began, once each. */
  sees(id: string, value: readonly string[], by: string): void {
    const words = this.#words.get(id) ?? new Set()
    const acknowledged = this.#acknowledged.get(id) ?? []
    const missing = acknowledged.filter((word) => !value.includes(word))
    if (missing.length > 0) {
      this.problems.push(`${by} of ${id} sees [${value}], but not [${missing}], which was acknowledged`)
    }
    if (new Set(value).size !== value.length)
      this.problems.push(`${by} of ${id} sees a word twice: [${value}]`)
    for (const word of value) if (!words.has(word)) this.problems.push(`${word} of ${id} was never saved`)
  }

  acknowledged(id: string, word: string): void {
    const words = this.#acknowledged.get(id) ?? []
    this.#acknowledged.set(id, [...words, word])
    this.turns += 1
  }

  rejected(error: unknown, isGone: boolean): void {
    if (isGone) return
    if (isSessionRegistryError(error) && allowed.has(error.code)) return
    this.problems.push(`a call was rejected with ${error instanceof Error ? error.stack : error}`)
  }

  /** A call of a stranger was rejected. */
  refused(error: unknown, isGone: boolean): void {
    if (error instanceof StrangerError || isSessionRegistryError(error, 'ERR_SESSION_NOT_OWNER'))
      this.refusals += 1
    else this.rejected(error, isGone)
  }

  failed(error: unknown): void {
    if (isSessionRegistryError(error, 'ERR_SESSION_ARCHIVE_FAILED') && error.session !== undefined) return
    if (isSessionRegistryError(error, 'ERR_SESSION_BACKEND_UNAVAILABLE')) return
    this.problems.push(`an error event: ${error instanceof Error ? error.stack : error}`)
  }

  /** Returns a function to call when the hook has settled. */
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

  expired(id: string, deadline: number): void {
    this.#deadlines.set(id, Math.max(deadline, this.#deadlines.get(id) ?? 0))
  }

  /** Checks what a process tells of an id whose sessions have all ended: the end of the last. */
  tells(id: string, gone: GoneSession | undefined): void {
    const deadline = this.#deadlines.get(id)
    if (gone?.reason === 'idle' && gone.endedAt === deadline) return
    this.problems.push(`${id} is told to be gone by ${gone?.reason} at ${gone?.endedAt}, not at ${deadline}`)
  }

  /** A hook that lost its lease is aborted before another begins or, on a busy machine, at that moment. */
  #overlapped(id: string, other: AbortSignal): void {
    if (!other.aborted) this.problems.push(`two archives of ${id} at once`)
  }

  /**
   * A process begins to archive an incarnation under this claim. If the reply is lost, the hook is not
   * called.
   */
  begins(incarnation: string, claim: string): void {
    const begun = this.#begun.get(incarnation) ?? new Set()
    this.#begun.set(incarnation, begun.add(claim))
  }

  /** Checks the end state, when nothing is in progress. */
  expectStored(values: ReadonlyMap<string, readonly string[]>): void {
    for (const id of this.#acknowledged.keys()) this.sees(id, values.get(id) ?? [], 'the store')
  }
}
