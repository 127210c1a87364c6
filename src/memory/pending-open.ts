import { AsyncResource } from 'node:async_hooks'
import type { HookCall } from '../core/async/hook-call.ts'
import { LinkedQueue, type QueueEntry } from '../core/async/linked-queue.ts'
import type { EndReason } from '../core/end-reason.ts'
import { notOwnerError } from '../core/errors/turn-errors.ts'
import type { CreateSession } from '../core/hooks.ts'
import { isAdmitted } from '../core/owner.ts'
import { type Clock, shownTime } from '../core/time/clock.ts'
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
  /** To whom a session belongs that is made for it, and to whom another one has to belong. */
  readonly owner: string | undefined
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

/** The value of a session that is to be created. */
interface MadeValue<T> {
  readonly value: T
  readonly isLoaded: boolean
  /** The idle timeout of the session, if it is its own. */
  readonly timeoutMs: number | undefined
}

/** Why a value is not wanted that never was a session's. */
export type DiscardReason = Extract<EndReason, 'deleted' | 'replaced' | 'closed'>

/** An open of one id that is in progress, and the requests that share it. */
export class PendingOpen<T> {
  readonly id: string
  readonly requests = new LinkedQueue<OpenRequest<T>>()
  /** Ends the present wait: for an archive, the load, or a place. `undefined` while there is none. */
  cancelWait: ((reason?: unknown) => void) | undefined = undefined
  load: HookCall<unknown> | undefined = undefined
  /** The factory in progress. */
  making: HookCall<T> | undefined = undefined
  /** Whether a factory is being called, and whether another one is to be called when it has returned. */
  isCalling = false
  makesAgain = false
  /** Whether it goes on without a request: `getOrCreate` began it, which cannot wait. */
  isUnattended = false
  /** To whom the new session belongs. */
  owner: string | undefined = undefined
  /** Why a value was not wanted, that is loaded or made all the same. */
  discardReason: DiscardReason = 'replaced'
  /** The value that `load` or the factory returned, while it waits for a place. */
  result: MadeValue<T> | undefined = undefined
  isLoadStarted = false
  /** What `load` was told, if it was. */
  told: { readonly owner: string | undefined } | undefined = undefined
  /** What the store has under the id, once that was looked up. */
  stored: StoreEntry | undefined = undefined
  isSettled = false
  /** Monotonic time of its first wait. */
  begunAt = 0

  constructor(id: string) {
    this.id = id
  }

  /** It has to wait, which most need not. */
  onWait(clock: Clock): void {
    this.begunAt = shownTime(clock)
    for (const request of this.requests) request.context ??= new AsyncResource('SessionOpening')
  }

  /** Forgets what was loaded and made. */
  startOver(): void {
    this.load = undefined
    this.making = undefined
    this.isUnattended = false
    this.stored = undefined
    this.isLoadStarted = false
  }

  /** Takes what was found by a load. */
  onFound({ found, stored }: FoundSession<T>): void {
    this.stored = stored
    // What is stored says to whom it belongs.
    if (found !== undefined && stored !== undefined) this.owner = stored.owner
    if (found !== undefined)
      this.result = { value: found.value, isLoaded: true, timeoutMs: stored?.timeoutMs }
  }

  /**
   * The first request of those that would create a session, else the first: `load` is told its owner, to whom
   * what it returns is bound, and a new session belongs.
   */
  get speaker(): OpenRequest<T> | undefined {
    const { first } = this.requests
    return first?.create === false
      ? ([...this.requests].find(({ create }) => create !== false) ?? first)
      : first
  }

  /** Whether `load`, if it is told who asks, was asked for the owner of the session to be. */
  get isToldOfSpeaker(): boolean {
    const { told, speaker } = this
    return told === undefined || speaker === undefined || told.owner === speaker.owner
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

/** Rejects the requests of one owner; returns whether there were others. */
export function dismissOwner<T>(
  { requests }: PendingOpen<T>,
  owner: string | undefined,
  error: unknown,
): boolean {
  for (const request of requests) if (request.owner === owner) dismiss(request, () => request.onFailed(error))
  return requests.size > 0
}

/** Serves the requests for which nothing is created: there is no session. */
export function dismissAbsent<T>({ requests }: PendingOpen<T>): void {
  for (const request of requests) if (request.create === false) dismiss(request, () => request.onAbsent())
}

/** Rejects the requests of other owners than the one to whom the session belongs that was found. */
export function dismissOtherOwners<T>({ requests, owner }: PendingOpen<T>): void {
  for (const request of requests)
    if (!isAdmitted(request.owner, owner)) dismiss(request, () => request.onFailed(notOwnerError()))
}

/** Takes the requests, of which those of other owners are rejected. */
export function takeAdmitted<T>(pendingOpen: PendingOpen<T>, owner: string | undefined): OpenRequest<T>[] {
  pendingOpen.owner = owner
  dismissOtherOwners(pendingOpen)
  return pendingOpen.requests.takeAll()
}

/** Calls `onReady` of a request. */
export function becomeReady<T>(request: OpenRequest<T>): void {
  request.onReady?.()
}
