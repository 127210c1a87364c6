import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { noStoreError, storeFailedError } from '../../core/errors/store-errors.ts'
import { checkId } from '../../core/options/validate.ts'
import { outerTurn } from '../../core/turns/outer-turn.ts'
import type { Operations } from '../operations.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { usersOf } from '../session/session-users.ts'
import { noSlot } from '../table/session-table.ts'
import type { TurnRun } from '../turns/turn-run.ts'
import type { Components } from '../wiring.ts'
import type { Storage } from './storage.ts'

/** `save` and `forget`: calls that wait until the store has done what they ask for. */
export class StoreCalls<T> {
  readonly #owner: object
  readonly #components: Components<T>
  readonly #operations: Operations<T>
  readonly #archiveAttempts: number

  constructor(owner: object, components: Components<T>, operations: Operations<T>, archiveAttempts: number) {
    this.#owner = owner
    this.#components = components
    this.#operations = operations
    this.#archiveAttempts = archiveAttempts
  }

  /** Writes a live session. Resolves with `false` where there is none, or it has ended meanwhile. */
  save(id: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      checkId(id)
      const { storage, gate, table } = this.#components
      if (storage === undefined) throw noStoreError()
      const outer = outerTurn<TurnRun<T>, T>(this.#owner, id)
      if (outer === undefined) gate.assertOpen()
      const slot = outer?.record?.slot ?? this.#operations.peekLive(id)
      if (slot === noSlot) {
        resolve(false)
        return
      }
      const record = table.recordOf(slot)
      const write = () => this.#save(record, storage, resolve, reject)
      const users = outer === undefined ? usersOf(record) : undefined
      if (users?.running === undefined) write()
      else users.afterTurn(write)
    })
  }

  /** Deletes a session here and in the store. Resolves when both are done. */
  async forget(id: string): Promise<boolean> {
    const { storage, gate } = this.#components
    checkId(id)
    if (gate.state === 'closed' || storage?.isClosed === true) gate.assertOpen()
    const wasHere = this.#operations.removal.delete(id)
    try {
      await storage?.deletions.whenDeleted(id, { tries: this.#archiveAttempts })
    } catch (error) {
      throw storeFailedError('delete the session', error)
    }
    return wasHere
  }

  #save(
    record: SessionRecord<T>,
    { saver }: Storage<T>,
    resolve: (isSaved: boolean) => void,
    reject: (error: unknown) => void,
  ): void {
    const { step, lifecycle } = this.#components
    if (record.slot === noSlot) {
      resolve(false)
      return
    }
    saver.save(record, (error) => {
      if (error === undefined) resolve(record.slot !== noSlot)
      // It was deleted or replaced.
      else if (isSessionRegistryError(error, 'ERR_SESSION_ENDED')) resolve(false)
      else reject(error)
      if (isSessionRegistryError(error, 'ERR_SESSION_STORE_CONFLICT'))
        step.run(() => lifecycle.endReplaced(record))
    })
  }
}
