import { noSlot, type Slot } from '../../../src/memory/table/layout.ts'
import type { Random } from '../../support/random.ts'

/** A session as simply as it can be said. */
export interface ModelSession {
  readonly id: string
  value: number
  readonly created: number
  lastActive: number
  timeoutMs: number
  isHeld: boolean
  slot: Slot
  /** Where it stands in the array. */
  at: number
}

/**
 * What a table of sessions is, in the simplest code that can be thought of: an array, full scans, exact
 * deadlines.
 */
export class TableModel {
  readonly sessions: ModelSession[] = []
  readonly #maxAgeMs: number
  readonly #byId = new Map<string, ModelSession>()
  held = 0

  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs
  }

  find(id: string): ModelSession | undefined {
    return this.#byId.get(id)
  }

  slotOf(id: string): Slot {
    return this.#byId.get(id)?.slot ?? noSlot
  }

  add(id: string, value: number, timeoutMs: number, now: number, slot: Slot): void {
    const session = { id, value, created: now, lastActive: now, timeoutMs, isHeld: false, slot }
    this.sessions.push({ ...session, at: this.sessions.length })
    this.#byId.set(id, this.sessions[this.sessions.length - 1] as ModelSession)
  }

  remove(session: ModelSession): void {
    const last = this.sessions.pop() as ModelSession
    if (last !== session) {
      last.at = session.at
      this.sessions[session.at] = last
    }
    this.#byId.delete(session.id)
    if (session.isHeld) this.held -= 1
  }

  /** Any one of those for which it holds, of a few that are looked at. */
  pick(random: Random, isWanted: (session: ModelSession) => boolean = () => true): ModelSession | undefined {
    for (let tries = 0; tries < 8 && this.sessions.length > 0; tries += 1) {
      const session = random.pick(this.sessions)
      if (isWanted(session)) return session
    }
    return undefined
  }

  isExpired({ isHeld, created, lastActive, timeoutMs }: ModelSession, now: number): boolean {
    return !isHeld && (lastActive + timeoutMs <= now || created + this.#maxAgeMs <= now)
  }

  reasonOf({ created, lastActive, timeoutMs }: ModelSession): 'idle' | 'age' {
    return created + this.#maxAgeMs < lastActive + timeoutMs ? 'age' : 'idle'
  }

  expired(now: number): Set<string> {
    return new Set(this.sessions.filter((session) => this.isExpired(session, now)).map(({ id }) => id))
  }

  get expirable(): number {
    if (this.#maxAgeMs < Number.POSITIVE_INFINITY) return this.sessions.length
    return this.sessions.filter(({ timeoutMs }) => timeoutMs < Number.POSITIVE_INFINITY).length
  }

  /** The longest idle of those that are not held. */
  get leastActive(): ModelSession | undefined {
    let least: ModelSession | undefined
    for (const session of this.sessions)
      if (!session.isHeld && session.lastActive < (least?.lastActive ?? Number.POSITIVE_INFINITY))
        least = session
    return least
  }
}
