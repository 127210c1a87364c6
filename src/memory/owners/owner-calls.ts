import { noOwnersError, storeFailedError } from '../../core/errors/store-errors.ts'
import { checkOwner } from '../../core/options/call-options.ts'
import type { Operations } from '../operations.ts'
import type { Components } from '../wiring.ts'

/** `forgetOwner`: all sessions of an owner, wherever they are. */
export class OwnerCalls<T> {
  readonly #components: Components<T>
  readonly #operations: Operations<T>
  readonly #archiveAttempts: number

  constructor(components: Components<T>, operations: Operations<T>, archiveAttempts: number) {
    this.#components = components
    this.#operations = operations
    this.#archiveAttempts = archiveAttempts
  }

  /** Returns how many there were, when all are gone. */
  async forget(owner: string): Promise<number> {
    checkOwner('owner', owner)
    const { storage, gate } = this.#components
    if (gate.state === 'closed') gate.assertOpen()
    if (storage !== undefined && !storage.canFindOwned) throw noOwnersError()
    // What only waits for its place is no session yet.
    const ids = new Set(this.#idsHere(owner).filter((id) => this.#operations.removal.delete(id)))
    if (storage !== undefined) {
      for (const id of await storage.idsOwned(owner)) {
        if (!ids.has(id)) this.#operations.removal.delete(id)
        ids.add(id)
      }
    }
    await Promise.all([...ids].map((id) => this.#whenGone(id)))
    return ids.size
  }

  /** Returns the ids of what is in memory, being archived, loaded or made. */
  #idsHere(owner: string): string[] {
    const { table, archiver, loader } = this.#components
    const inTable = table.owners.slotsOf(owner).map((slot) => table.idOf(slot))
    const archiving = archiver.jobs().filter(({ record }) => record.owner === owner)
    return [...inTable, ...archiving.map(({ record }) => record.id), ...loader.pendingOpens.idsOf(owner)]
  }

  async #whenGone(id: string): Promise<void> {
    const { storage, disposer } = this.#components
    // Several, where the id was replaced.
    while (disposer?.has(id) === true) await new Promise<void>((done) => disposer.whenSettled(id, done))
    try {
      await storage?.deletions.whenDeleted(id, { tries: this.#archiveAttempts })
    } catch (error) {
      throw storeFailedError('delete the sessions of an owner', error)
    }
  }
}
