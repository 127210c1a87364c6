import type { Step } from '../core/events/step.ts'
import { checkId } from '../core/options/validate.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { ResolvedOptions } from './options.ts'
import type { Sessions } from './session/sessions.ts'
import { noSlot, type Slot } from './table/session-table.ts'
import type { Components } from './wiring.ts'

/** The removal of sessions that the application asks for: unarchived, and from the store as well. */
export class Removal<T> {
  readonly #components: Components<T>
  readonly #table: Sessions<T>
  readonly #lifecycle: Lifecycle<T>
  readonly #step: Step
  readonly #isStored: boolean
  readonly #hasArchive: boolean

  constructor(components: Components<T>, options: ResolvedOptions<T>) {
    this.#components = components
    this.#table = components.table
    this.#lifecycle = components.lifecycle
    this.#step = components.step
    this.#isStored = options.storage !== undefined
    this.#hasArchive = this.#isStored || options.archive !== undefined
  }

  /**
   * Ends a session, its archive, or its load. Returns whether there was one: a live session, one that was
   * still to be archived, or a load.
   */
  delete(id: string): boolean {
    const slot = this.#table.find(id)
    if (slot !== noSlot && !this.#isStored) return this.#step.run(() => this.endAtOnce(slot, 'deleted'))
    return this.#step.run(() => this.#delete(id, slot))
  }

  #delete(id: string, slot: Slot): boolean {
    const { archiver, loader } = this.#components
    const wasPresent =
      slot === noSlot
        ? archiver.abandon(id, 'deleted') || loader.restart(id)
        : this.endAtOnce(slot, 'deleted')
    this.#deleteStored(id)
    return wasPresent
  }

  /** Deletes a session from the store, if there is one: from the call on, its id is not read. */
  #deleteStored(id: string): void {
    const { storage } = this.#components
    if (storage === undefined || storage.isClosed) return
    storage.deletions.start(checkId(id))
  }

  /**
   * Ends a session without archiving it. Returns whether it ended for this reason: one that had expired
   * before ends as expired, unless it was still to be archived.
   */
  endAtOnce(slot: Slot, reason: 'deleted' | 'replaced'): boolean {
    const isPresent = this.#hasArchive || !this.#table.isExpired(slot, this.#lifecycle.clock.now())
    this.#lifecycle.end(slot, isPresent ? reason : this.#table.expiryReason(slot))
    return isPresent
  }

  /** Ends all sessions as {@link delete} does. Returns how many there were. */
  clear(): number {
    return this.#step.run(() => {
      const { archiver, loader } = this.#components
      const loading = loader.restartAll()
      let count = loading.length
      for (const id of loading) this.#deleteStored(id)
      for (const { record } of archiver.jobs()) {
        const { id } = record
        this.#deleteStored(id)
        if (archiver.abandon(id, 'deleted')) count += 1
      }
      const now = this.#lifecycle.clock.now()
      const isPresent = (slot: Slot) => this.#hasArchive || !this.#table.isExpired(slot, now)
      this.#table.drainAll((slot) => {
        const reason = isPresent(slot) ? 'deleted' : this.#table.expiryReason(slot)
        if (reason === 'deleted') count += 1
        this.#deleteStored(this.#table.idOf(slot))
        this.#lifecycle.end(slot, reason, now)
      })
      return count
    })
  }
}
