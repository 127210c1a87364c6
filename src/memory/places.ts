import type { Capacity, CapacityRequest } from './capacity.ts'
import type { OwnerLimit, OwnerRequest } from './owners/owner-limit.ts'
import type { PendingOpen } from './pending-open.ts'

/** What happens to an open that waits for its place. */
export interface PlaceHandler<T> {
  /** Called in the step in which there is a place. */
  onGranted(pendingOpen: PendingOpen<T>): void
  onRefused(pendingOpen: PendingOpen<T>, error: unknown): void
}

/** Places for the sessions of opens: one of the registry, and one of the owner. */
export class Places<T> {
  readonly #capacity: Capacity<T>
  readonly #ownerLimit: OwnerLimit<T>

  constructor(capacity: Capacity<T>, ownerLimit: OwnerLimit<T>) {
    this.#capacity = capacity
    this.#ownerLimit = ownerLimit
  }

  /** Waits for a place, first of the owner: the session that ends for it may free one of the registry. */
  acquire(pendingOpen: PendingOpen<T>, handler: PlaceHandler<T>): void {
    const { owner } = pendingOpen
    if (owner === undefined) {
      this.#acquireCapacity(pendingOpen, handler)
      return
    }
    const request: OwnerRequest = {
      owner,
      grant: () => this.#acquireCapacity(pendingOpen, handler),
      refuse: (error) => handler.onRefused(pendingOpen, error),
    }
    pendingOpen.cancelWait = () => this.#ownerLimit.cancel(request)
    this.#ownerLimit.acquire(request)
  }

  /** Keeps the place of the registry for a value that is being made. */
  startMaking(): void {
    this.#capacity.startMaking()
  }

  /** Releases the places of a value that was made. */
  endMaking({ owner }: { readonly owner: string | undefined }): void {
    this.#capacity.endMaking()
    this.#ownerLimit.countAway(owner, -1)
  }

  /** Releases the place of the owner, which the session itself takes. */
  release({ owner }: { readonly owner: string | undefined }): void {
    this.#ownerLimit.countAway(owner, -1)
  }

  #acquireCapacity(pendingOpen: PendingOpen<T>, handler: PlaceHandler<T>): void {
    const { owner } = pendingOpen
    const request: CapacityRequest = {
      grant: () => handler.onGranted(pendingOpen),
      refuse: (error) => {
        // Else the end of the open would release the place of the owner once more.
        pendingOpen.cancelWait = undefined
        this.#ownerLimit.countAway(owner, -1)
        handler.onRefused(pendingOpen, error)
      },
    }
    pendingOpen.cancelWait = () => {
      this.#capacity.cancel(request)
      this.#ownerLimit.countAway(owner, -1)
    }
    this.#capacity.acquire(request)
  }
}
