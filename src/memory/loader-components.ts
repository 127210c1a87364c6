import type { PendingWork } from '../core/async/pending-work.ts'
import type { Archiver } from './archiving/archiver.ts'
import type { Capacity } from './capacity.ts'
import type { Disposer } from './disposal/disposer.ts'
import type { FastPathBlockers } from './fast-path/blockers.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { OwnerLimit } from './owners/owner-limit.ts'
import type { Deletions } from './storing/deletions.ts'

/** What the loader works with. */
export interface LoaderComponents<T> {
  readonly owner: object
  readonly lifecycle: Lifecycle<T>
  readonly archiver: Archiver<T>
  readonly disposer: Disposer<T> | undefined
  /** An id waits for its deletion from the store; `undefined` without one. */
  readonly deletions: Deletions | undefined
  readonly capacity: Capacity<T>
  readonly ownerLimit: OwnerLimit<T>
  readonly blockers: FastPathBlockers
  readonly pending: PendingWork
}
