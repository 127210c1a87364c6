import type { Session, SessionRegistry } from 'session-registry'
import type { ManualClock } from 'session-registry/testing'

/** A turn, observed from inside. */
export interface SeenTurn {
  readonly id: string
  readonly session: Session<number[]>
  readonly startedAt: number
  /** Whether the turn excludes others, and may write. */
  readonly excludes: boolean
  /** The turn that it is nested in. */
  readonly outer: SeenTurn | undefined
  /** Settles as its run does. */
  outcome(): Promise<unknown>
  isSettled(): boolean
  /** Whether nothing of what it wrote is left when it fails. */
  readonly isUndone: boolean
  /**
   * The time at which the signal of a stream aborted, unless its reader left: if it was not being read then,
   * it has its session for its grace only.
   */
  abortedAt(): number | undefined
}

/** Observes a registry and records every guarantee that it breaks. */
export class Witness {
  readonly problems: string[] = []
  readonly #registry: SessionRegistry<number[]>
  readonly #clock: ManualClock
  readonly #maxSessions: number
  /** A turn has its session for its time and its grace. */
  readonly #longestTurnMs: number
  readonly #turnGraceMs: number
  /** The deadline of `close` has passed, or may have. */
  #isPastDeadline = false
  readonly #running = new Set<SeenTurn>()
  readonly #created = new Set<Session<number[]>>()
  readonly #expired = new Set<Session<number[]>>()
  /** The time of each `ended`, by session. */
  readonly #endedAt = new Map<Session<number[]>, number>()
  /**
   * Sessions that have ended, since a turn runs on the next incarnation of their id, and whose `ended` is
   * still pending.
   */
  readonly #superseded: { readonly session: Session<number[]>; readonly at: number }[] = []
  /** Messages of accepted turns that were not deleted since. */
  readonly #expected = new Map<string, number[]>()
  readonly #deletions = new Map<string, number>()
  /** Messages by id, and those that must not be seen again. */
  readonly #messages = new Map<string, number[]>()
  readonly #forgotten = new Set<number>()
  /** Messages of turns that failed and were rolled back. */
  readonly #undone = new Set<number>()

  constructor(
    registry: SessionRegistry<number[]>,
    clock: ManualClock,
    limits: { readonly maxSessions: number; readonly maxTurnMs: number; readonly turnGraceMs: number },
  ) {
    this.#registry = registry
    this.#clock = clock
    this.#maxSessions = limits.maxSessions
    this.#longestTurnMs = limits.maxTurnMs + limits.turnGraceMs
    this.#turnGraceMs = limits.turnGraceMs
    registry.on('created', (session) => {
      if (this.#created.has(session)) this.#blame(`${session.id} was created twice`)
      if (this.#endedAt.has(session)) this.#blame(`${session.id} ended before it was created`)
      this.#created.add(session)
      // A listener of an earlier event may have deleted it, before this event was emitted.
      if (registry.peek(session.id) === session) this.#checkForgotten(session)
      this.checkCap()
    })
    registry.on('expired', (session) => {
      if (this.#expired.has(session)) this.#blame(`${session.id} expired twice`)
      if (this.#endedAt.has(session)) this.#blame(`${session.id} expired after its end`)
      this.#expired.add(session)
      this.checkCap()
    })
    registry.on('ended', (session, reason) => {
      if (this.#endedAt.has(session)) this.#blame(`${session.id} ended twice`)
      if (!this.#created.has(session)) this.#blame(`${session.id} ended and was never created`)
      const byTime = reason === 'idle' || reason === 'age'
      if (byTime !== this.#expired.has(session)) this.#blame(`${session.id}: ${reason}, and expired`)
      this.#endedAt.set(session, clock.now())
      for (const turn of this.#running) {
        const isWish = reason === 'deleted' || reason === 'replaced' || this.#isPastDeadline
        if (turn.session === session && !isWish && !this.#isTooLong(turn)) {
          this.#blame(`${session.id} ended by ${reason} in the middle of a turn`)
        }
      }
      this.checkCap()
    })
  }

  checkCap(): void {
    const { size, archiving } = this.#registry.stats()
    if (size + archiving > this.#maxSessions) this.#blame(`${size} + ${archiving} sessions are in memory`)
  }

  deletionsOf(id: string): number {
    return this.#deletions.get(id) ?? 0
  }

  /** The application gave up what the session held. */
  deleted(id: string): void {
    this.#deletions.set(id, this.deletionsOf(id) + 1)
    this.#expected.delete(id)
  }

  wrote(id: string, message: number): void {
    const messages = this.#messages.get(id)
    if (messages === undefined) this.#messages.set(id, [message])
    else messages.push(message)
  }

  /**
   * The application deleted the session and its stored value: neither a load nor an archive may restore it.
   */
  forgotten(id: string): void {
    this.deleted(id)
    for (const message of this.#messages.get(id) ?? []) this.#forgotten.add(message)
    this.#messages.delete(id)
  }

  /** A failed turn was rolled back: its message must not be found afterwards. */
  undone(message: number): void {
    this.#undone.add(message)
  }

  turnStarts(turn: SeenTurn): void {
    this.#checkForgotten(turn.session)
    for (const other of this.#running) {
      if (other.id !== turn.id || rootOf(other) === rootOf(turn) || this.#hasLostItsSession(other)) continue
      if (!turn.excludes || !other.excludes) continue
      if (other.session === turn.session) this.#blame(`two turns of ${turn.id} at once`)
      // Replaced by a listener: its `ended` is emitted when that listener has returned.
      else this.#superseded.push({ session: other.session, at: this.#clock.now() })
    }
    if (this.#endedAt.has(turn.session))
      this.#blame(`a turn of ${turn.id} begins on a session that has ended`)
    this.#running.add(turn)
    if (!turn.session.held) this.#blame(`a turn of ${turn.id} runs on a session that is not held`)
  }

  turnEnds(turn: SeenTurn): void {
    this.#running.delete(turn)
  }

  accepted(id: string, message: number, deletions: number): void {
    if (deletions !== this.deletionsOf(id)) return
    const messages = this.#expected.get(id)
    if (messages === undefined) this.#expected.set(id, [message])
    else messages.push(message)
  }

  /** At the very end: nothing is lost, and every session has ended. */
  checkEnd(kept: (id: string) => readonly number[]): void {
    for (const [id, messages] of this.#expected) {
      const found = new Set(kept(id))
      const back = [...found].filter((message) => this.#undone.has(message))
      if (back.length > 0) this.#blame(`${id} kept ${back.join(', ')}, which were rolled back`)
      const lost = messages.filter((message) => !found.has(message))
      if (lost.length > 0) this.#blame(`${id} lost ${lost.join(', ')}`)
    }
    for (const { session, at } of this.#superseded) {
      if (this.#endedAt.get(session) !== at)
        this.#blame(`two turns of ${session.id} on two incarnations at once`)
    }
    for (const { id } of [...this.#created].filter((session) => !this.#endedAt.has(session))) {
      this.#blame(`${id} was created and never ended`)
    }
  }

  get saw(): { readonly sessions: number; readonly messages: number } {
    const messages = Array.from(this.#expected.values(), ({ length }) => length).reduce((a, b) => a + b, 0)
    return { sessions: this.#created.size, messages }
  }

  deadlinePasses(): void {
    this.#isPastDeadline = true
  }

  blame(problem: string): void {
    this.#blame(problem)
  }

  /** A turn that timed out, or whose session was deleted, continues without a session. */
  #hasLostItsSession(turn: SeenTurn): boolean {
    return this.#endedAt.has(turn.session) || this.#isTooLong(turn)
  }

  /** Whether its limit or its grace may have ended it or an outer turn. */
  #isTooLong({ startedAt, abortedAt, outer }: SeenTurn): boolean {
    const now = this.#clock.now()
    if (now - startedAt >= this.#longestTurnMs) return true
    if (now - (abortedAt() ?? Number.POSITIVE_INFINITY) >= this.#turnGraceMs) return true
    return outer !== undefined && this.#isTooLong(outer)
  }

  #checkForgotten({ id, value }: Session<number[]>): void {
    const back = value.filter((message) => this.#forgotten.has(message))
    if (back.length > 0) this.#blame(`${id} has ${back.join(', ')} again, which were deleted`)
  }

  #blame(problem: string): void {
    this.problems.push(problem)
  }
}

function rootOf(turn: SeenTurn): SeenTurn {
  return turn.outer === undefined ? turn : rootOf(turn.outer)
}
