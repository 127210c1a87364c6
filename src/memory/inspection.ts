import { shownTime } from '../core/time/clock.ts'
import {
  type InspectedParts,
  type InspectedSession,
  type InspectedState,
  inspectedSession,
  inspectedTurn,
} from '../core/watching/inspected-session.ts'
import type { Disposal } from './disposal/disposal.ts'
import type { PendingOpen } from './pending-open.ts'
import type { SessionRecord } from './session/session-record.ts'
import { usersOf } from './session/session-users.ts'
import type { Slot } from './table/session-table.ts'
import type { Components } from './wiring.ts'

/**
 * Returns what is in memory, for a person. Changes nothing. It is linear in the number of sessions, unless
 * `max` limits the entries of each kind: then it has the sessions that have been idle for longest, and those
 * that have been held for longest.
 */
export function inspect<T>(components: Components<T>, max = Number.POSITIVE_INFINITY): InspectedSession[] {
  return new Inspection(components).entries(max)
}

/** What is not a session yet, or never was one. */
interface Begun {
  readonly id: string
  readonly begunAt: number
  readonly owner?: string | undefined
}

/** One look at a registry. */
class Inspection<T> {
  readonly #components: Components<T>
  readonly #now: number
  /** The opens that wait for what leaves memory: they are shown with it. */
  readonly #waitingOpens = new Map<string, PendingOpen<T>>()
  /** Those that load or make a session. */
  readonly #opens: PendingOpen<T>[] = []
  readonly #found: InspectedSession[] = []

  constructor(components: Components<T>) {
    this.#components = components
    this.#now = shownTime(components.lifecycle.clock)
    for (const pendingOpen of components.loader.pendingOpens.all()) {
      if (this.#isWaiting(pendingOpen)) this.#waitingOpens.set(pendingOpen.id, pendingOpen)
      else this.#opens.push(pendingOpen)
    }
  }

  /** Returns all entries, or at most `max` of each kind. */
  entries(max: number): InspectedSession[] {
    const { table, archiver, disposer, loader } = this.#components
    for (const slot of table.snapshot(max)) this.#addSlot(slot)
    for (const { record, attempt: attempts } of archiver.jobs().slice(0, max))
      this.#add({ ...this.#ofRecord(record, 'archiving'), attempts })
    if (disposer !== undefined) this.#addDisposals(disposer.disposals().slice(0, max))
    for (const pendingOpen of this.#opens.slice(0, max)) this.#addOpen(pendingOpen)
    for (const abandoned of [...loader.pendingOpens.abandoned].slice(0, max))
      this.#add(this.#ofBegun(abandoned, 'creating'))
    return this.#found
  }

  #add(parts: InspectedParts): void {
    this.#found.push(inspectedSession(parts))
  }

  #addSlot(slot: Slot): void {
    const { table } = this.#components
    const isHeld = table.isHeld(slot)
    // Not made for this: most sessions have none.
    const record = table.record(slot)
    this.#add({
      id: table.idOf(slot),
      state: isHeld ? 'held' : table.isExpired(slot, this.#now) ? 'expired' : 'active',
      ageMs: this.#now - table.created(slot),
      idleMs: isHeld ? 0 : this.#now - table.lastActive(slot),
      owner: table.owners.ownerOf(slot),
      ...(record && usersOf(record)?.inspect(this.#now)),
    })
  }

  #ofRecord(record: SessionRecord<T>, state: InspectedState): InspectedParts {
    return {
      id: record.id,
      state,
      ageMs: this.#now - record.created,
      idleMs: this.#now - record.lastActive,
      owner: record.owner,
      waiting: this.#takeWaiting(record.id),
    }
  }

  #addDisposals(disposals: readonly Disposal<T>[]): void {
    const turns = this.#components.turns.endedTurns()
    for (const disposal of disposals) {
      const { record, id } = disposal
      const turn = record && turns.get(record)
      const running = turn && inspectedTurn(turn, this.#now)
      if (record !== undefined) this.#add({ ...this.#ofRecord(record, 'disposing'), running })
      else this.#add({ ...this.#ofBegun(disposal, 'disposing'), waiting: this.#takeWaiting(id) })
    }
  }

  #addOpen(pendingOpen: PendingOpen<T>): void {
    const { load, result, isLoadStarted, requests } = pendingOpen
    const { canLoad } = this.#components
    const isLoaded = result === undefined ? canLoad && !isLoadStarted : result.isLoaded
    const state = load !== undefined || isLoaded ? 'loading' : 'creating'
    this.#add({ ...this.#ofBegun(pendingOpen, state), waiting: requests.size })
  }

  #ofBegun({ id, begunAt, owner }: Begun, state: InspectedState): InspectedParts {
    const sinceMs = this.#now - begunAt
    return { id, state, ageMs: sinceMs, idleMs: sinceMs, owner }
  }

  /** Whether an open waits until a session of its id has left memory. */
  #isWaiting({ id, load, making, result }: PendingOpen<T>): boolean {
    if (load !== undefined || making !== undefined || result !== undefined) return false
    const { archiver, disposer } = this.#components
    return archiver.recordOf(id) !== undefined || disposer?.has(id) === true
  }

  /** Returns how many calls wait for what leaves memory, for the first entry of the id. */
  #takeWaiting(id: string): number {
    const count = this.#waitingOpens.get(id)?.requests.size ?? 0
    this.#waitingOpens.delete(id)
    return count
  }
}
