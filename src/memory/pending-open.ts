import type { AsyncResource } from 'node:async_hooks'
import type { HookCall } from '../core/async/hook-call.ts'
import { LinkedQueue, type QueueEntry } from '../core/async/linked-queue.ts'
import type { CreateSession } from '../core/hooks.ts'
import type { FoundSession } from './load-source.ts'
import type { StoreEntry } from './storing/store-entry.ts'
import type { Slot } from './table/session-table.ts'

/** A call that needs a session in memory: an `open`, an `acquire`, or a turn. */
export interface OpenRequest<T> {
  /**
   * Whether a session is created where there is none, or the factory to use instead of the registry's
   * `create`.
   */
  readonly create: boolean | CreateSession<T>
  /** The async context of the call. If not given, it is captured when the call has to wait. */
  context: AsyncResource | undefined
  /** Its place among the requests for the id. Set by the {@link SessionLoader} alone. */
  entry?: QueueEntry<OpenRequest<T>> | undefined
  /** Takes the session, in the step in which it is in memory: nothing can end it first. */
  onOpened(slot: Slot): void
  /** Called after that step: all requests have taken the session, and `created` was emitted. */
  onReady?(): void
  /** There is no session, and none is to be created. */
  onAbsent(): void
  onFailed(error: unknown): void
}

/** An open of one id that is in progress, and the requests that share it. */
export class PendingOpen<T> {
  readonly id: string
  readonly requests = new LinkedQueue<OpenRequest<T>>()
  /** Ends the present wait: for an archive, the load, or a place. `undefined` while there is none. */
  cancelWait: ((reason?: unknown) => void) | undefined = undefined
  load: HookCall<unknown> | undefined = undefined
  /** The value that `load` or the factory returned, while it waits for a place. */
  result: { readonly value: T; readonly isLoaded: boolean } | undefined = undefined
  isLoadStarted = false
  /** What the store has under the id, once that was looked up. */
  stored: StoreEntry | undefined = undefined
  isSettled = false

  constructor(id: string) {
    this.id = id
  }

  /** Takes what was found by a load. */
  onFound({ found, stored }: FoundSession<T>): void {
    this.stored = stored
    if (found !== undefined) this.result = { value: found.value, isLoaded: true }
  }

  /** Whether it can take its next step. */
  get isIdle(): boolean {
    return !this.isSettled && this.cancelWait === undefined
  }
}

/** Withdraws a request, if it still waits, and calls `notify`. */
export function dismiss<T>(request: OpenRequest<T>, notify: () => void): void {
  if (request.entry?.remove() === true) notify()
}

/** Calls `fn` in the async context of a request, or in the present one if that was not captured. */
export function runIn<R>(context: AsyncResource | undefined, fn: () => R): R {
  return context === undefined ? fn() : context.runInAsyncScope(fn)
}
