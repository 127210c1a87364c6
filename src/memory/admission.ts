import { needsOpenError, notOwnerError } from '../core/errors/turn-errors.ts'
import { checkId } from '../core/options/validate.ts'
import {
  archivesInFlight,
  creationRestricted,
  disposalsInFlight,
  type FastPathBlockers,
  openPending,
} from './fast-path/blockers.ts'
import type { ResolvedOptions } from './options.ts'
import type { Sessions } from './session/sessions.ts'
import { noSlot, type Slot } from './table/session-table.ts'
import type { Components } from './wiring.ts'

/**
 * The checks that a call passes before it reads or creates a session: whose it is, and whether there is room.
 */
export class Admission<T> {
  readonly #components: Components<T>
  readonly #table: Sessions<T>
  readonly #blockers: FastPathBlockers
  readonly #hasLoad: boolean
  /** Whether an expired session is archived or written before it ends. */
  readonly #keepsExpired: boolean

  constructor(components: Components<T>, options: ResolvedOptions<T>) {
    this.#components = components
    this.#table = components.table
    this.#blockers = components.blockers
    this.#keepsExpired = options.storage !== undefined || options.archive !== undefined
    this.#hasLoad = options.storage !== undefined || options.load !== undefined
  }

  /** Whether {@link assertUnrestricted} may throw. */
  isRestricted(): boolean {
    return this.#blockers.has(creationRestricted | archivesInFlight | disposalsInFlight | openPending)
  }

  /**
   * Checks that a call which cannot wait may create a session of the id.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_CLOSED`, `ERR_SESSION_NEEDS_OPEN`
   */
  assertUnrestricted(id: string): void {
    const { gate, loader } = this.#components
    gate.assertOpen()
    this.assertIdFree(id)
    if (loader.pendingOpens.isMaking(id)) throw needsOpenError('is being created')
    if (this.#hasLoad) throw needsOpenError('may have to be loaded')
  }

  /** @throws SessionRegistryError `ERR_SESSION_NEEDS_OPEN` */
  assertIdFree(id: string): void {
    const { archiver, disposer } = this.#components
    if (archiver.has(id)) throw needsOpenError('is being archived')
    if (disposer?.has(id) === true) throw needsOpenError('is being disposed of')
  }

  /** @throws SessionRegistryError `ERR_SESSION_OWNER_FULL`, `ERR_SESSION_REGISTRY_FULL` */
  assertRoom(owner: string | undefined): void {
    const { capacity, ownerLimit } = this.#components
    // The session that ends for its owner frees a place of the registry as well.
    ownerLimit.assertCanCreate(owner, capacity.frees)
    capacity.assertCanCreate()
  }

  hasOwnerRoom(owner: string | undefined): boolean {
    return owner === undefined || this.#components.ownerLimit.hasRoom(owner)
  }

  /**
   * Checks that a live session of the id, if there is one, belongs to the owner. It is no activity.
   *
   * @throws SessionRegistryError `ERR_SESSION_NOT_OWNER`
   */
  assertOwner(id: string, owner: string | undefined): void {
    if (owner === undefined) return
    const slot = this.#table.find(checkId(id))
    const { clock } = this.#components.lifecycle
    if (slot !== noSlot && !this.#table.isExpired(slot, clock.now())) this.assertOwns(slot, owner)
  }

  /** @throws SessionRegistryError `ERR_SESSION_NOT_OWNER` */
  assertOwns(slot: Slot, owner: string | undefined): void {
    if (owner !== undefined && this.#table.owners.ownerOf(slot) !== owner) throw notOwnerError()
  }

  /**
   * Checks that what a `replace` ends, live, expired or being archived, belongs to the owner.
   *
   * @throws SessionRegistryError `ERR_SESSION_NOT_OWNER`, `ERR_SESSION_NEEDS_OPEN`
   */
  assertReplaces(id: string, owner: string | undefined): void {
    if (owner === undefined) return
    const slot = this.#table.find(checkId(id))
    if (slot !== noSlot) {
      // One that has expired is still to be archived or written: it is its owner's until then.
      if (this.#keepsExpired || !this.#table.isExpired(slot, this.#components.lifecycle.clock.now()))
        this.assertOwns(slot, owner)
      return
    }
    const archiving = this.#components.archiver.recordOf(id)
    if (archiving !== undefined && archiving.owner !== owner) throw notOwnerError()
    if (archiving === undefined) this.assertOwnerKnown(owner)
  }

  /**
   * Checks that the owner of a session that is not in memory is known: with a store, it is not.
   *
   * @throws SessionRegistryError `ERR_SESSION_NEEDS_OPEN`
   */
  assertOwnerKnown(owner: string | undefined): void {
    if (owner !== undefined && this.#components.storage !== undefined)
      throw needsOpenError('may be stored, and belong to another owner')
  }
}
