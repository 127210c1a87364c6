import type { PendingWork } from '../core/async/pending-work.ts'
import { type FastPathBlockers, openPending } from './fast-path/blockers.ts'
import { PendingOpen } from './pending-open.ts'

/** A value that is being made for no one. */
export type AbandonedValue = Pick<PendingOpen<unknown>, 'id' | 'owner' | 'begunAt'>

/** The opens that are in progress, one for each id. */
export class PendingOpens<T> {
  readonly #blockers: FastPathBlockers
  readonly #pending: PendingWork
  readonly #byId = new Map<string, PendingOpen<T>>()
  /** Values that no call waits for any more, while their factories have not settled. */
  readonly abandoned = new Set<AbandonedValue>()

  constructor(blockers: FastPathBlockers, pending: PendingWork) {
    this.#blockers = blockers
    this.#pending = pending
  }

  get(id: string): PendingOpen<T> | undefined {
    return this.#byId.get(id)
  }

  /** Returns those that are in progress now. */
  all(): PendingOpen<T>[] {
    return [...this.#byId.values()]
  }

  /** Returns the ids of what is loaded or made for an owner. */
  idsOf(owner: string): string[] {
    return this.all().flatMap((one) => (one.owner === owner ? [one.id] : []))
  }

  /** Whether a value of the id is being made. */
  isMaking(id: string): boolean {
    return this.#byId.get(id)?.making !== undefined
  }

  begin(id: string): PendingOpen<T> {
    const pendingOpen = new PendingOpen<T>(id)
    this.#byId.set(id, pendingOpen)
    this.#blockers.block(openPending)
    this.#pending.begin()
    return pendingOpen
  }

  /** Ends what it waits for. Returns whether it had not ended before. */
  end(pendingOpen: PendingOpen<T>, reason?: unknown): boolean {
    if (pendingOpen.isSettled) return false
    pendingOpen.isSettled = true
    pendingOpen.cancelWait?.(reason)
    this.#byId.delete(pendingOpen.id)
    if (this.#byId.size === 0) this.#blockers.unblock(openPending)
    this.#pending.end()
    return true
  }
}
