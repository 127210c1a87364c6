import type { HookHost } from '../core/async/hook-call.ts'
import { LoadCalls } from '../core/async/load-calls.ts'
import type { Disposer } from './disposal/disposer.ts'
import type { LoadSource } from './load-source.ts'
import type { DiscardReason, PendingOpen } from './pending-open.ts'

/** What the loader does when a session was looked for. */
export interface LookupHandler<T> {
  onFound(pendingOpen: PendingOpen<T>): void
  onFailed(pendingOpen: PendingOpen<T>, error: unknown): void
}

/** Looks for sessions that are not in memory, each call for one open. */
export class Lookups<T> {
  readonly #calls: LoadCalls<unknown>
  readonly #source: LoadSource<T>
  readonly #disposer: Disposer<T> | undefined
  readonly #handler: LookupHandler<T>

  constructor(
    components: {
      readonly host: HookHost
      readonly source: LoadSource<T>
      readonly loadTimeoutMs: number
      readonly disposer: Disposer<T> | undefined
    },
    handler: LookupHandler<T>,
  ) {
    const { host, source, loadTimeoutMs, disposer } = components
    this.#source = source
    this.#calls = new LoadCalls(host, source.load, loadTimeoutMs)
    this.#disposer = disposer
    this.#handler = handler
  }

  start(pendingOpen: PendingOpen<T>): void {
    const { id } = pendingOpen
    // One that has timed out is not aborted here: its callers were rejected, and wait no more.
    let discardReason: DiscardReason = 'deleted'
    pendingOpen.isLoadStarted = true
    const owner = pendingOpen.speaker?.owner
    pendingOpen.owner = owner
    pendingOpen.told = this.#source.tellsOwner ? { owner } : undefined
    const call = this.#calls.newCall(id, owner, {
      onLoaded: (result) => {
        pendingOpen.load = undefined
        pendingOpen.onFound(this.#source.read(result))
        this.#handler.onFound(pendingOpen)
      },
      onFailed: (error) => {
        pendingOpen.load = undefined
        pendingOpen.isLoadStarted = false
        this.#handler.onFailed(pendingOpen, error)
      },
      onDiscarded: (result) => {
        const { found } = this.#source.read(result)
        if (found !== undefined) this.#disposer?.discard(id, found.value, discardReason)
      },
    })
    pendingOpen.load = call
    pendingOpen.cancelWait = (reason) => {
      discardReason = pendingOpen.discardReason
      call.abort(reason)
    }
    call.start()
  }

  /** Ends all calls as pending work: the registry is closing. */
  finishAll(): void {
    this.#calls.finishAll()
  }
}
