import type { AsyncResource } from 'node:async_hooks'
import { LinkedQueue, type QueueEntry } from '../core/async/linked-queue.ts'
import type { LoadCall } from '../core/async/load-call.ts'
import type { CreateSession } from '../core/hooks.ts'
import type { Slot } from './table/session-table.ts'

/** A call that needs a session in memory: an `open`, or a turn. */
export interface OpenRequest<T> {
  /** Whether a session is to be made where there is none, or what makes its value instead of the registry's `create`. */
  readonly create: boolean | CreateSession<T>
  /** The async context of the call; taken when it has to wait, where it is not given. */
  context: AsyncResource | undefined
  /** Its place among those who wait for the id. Set by the {@link SessionLoader} alone. */
  entry?: QueueEntry<OpenRequest<T>> | undefined
  /** Takes the session, in the very step in which it is in memory: nothing can end it in between. */
  onOpened(slot: Slot): void
  /** Called when all waiters have attached and `created` was emitted. */
  onReady(): void
  /** There is no session, and none is to be created. */
  onAbsent(): void
  onFailed(error: unknown): void
}

/** What is under way to bring one id into memory, and who waits for it. */
export class PendingOpen<T> {
  readonly id: string
  readonly requests = new LinkedQueue<OpenRequest<T>>()
  /** Ends the present wait: for an archive, for the load, for room. `undefined`: it waits for nothing. */
  cancelWait: ((reason?: unknown) => void) | undefined = undefined
  load: LoadCall<T> | undefined = undefined
  /** What `load` or the factory gave; it waits for room. */
  result: { readonly value: T; readonly isLoaded: boolean } | undefined = undefined
  isLoadStarted = false
  isSettled = false

  constructor(id: string) {
    this.id = id
  }
}

/** Takes a waiter out, if it still waits, and tells it why. */
export function dismiss<T>(request: OpenRequest<T>, notify: () => void): void {
  if (request.entry?.remove() === true) notify()
}

/** Calls `fn` in the async context of a waiter, where that is not the present one anyway. */
export function runIn<R>(context: AsyncResource | undefined, fn: () => R): R {
  return context === undefined ? fn() : context.runInAsyncScope(fn)
}
