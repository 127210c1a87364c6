import type { HookHost } from '../../core/async/hook-call.ts'
import { LoadCalls } from '../../core/async/load-calls.ts'
import type { FoundSession, LoadSource } from './load-source.ts'
import type { FailedLoad, LoadResult, PendingOpen } from './pending-open.ts'

/** The searches for sessions that are not in Redis. */
export class Lookups<T> {
  readonly #source: LoadSource
  readonly #calls: LoadCalls<unknown>

  constructor(host: HookHost, source: LoadSource, loadTimeoutMs: number) {
    this.#source = source
    this.#calls = new LoadCalls(host, source.load, loadTimeoutMs)
  }

  /**
   * Looks for the session of an id, on behalf of the first of its callers. If that one has left when nothing
   * was found, the next owner is asked for. Never settles after an abort: the callers have been rejected.
   *
   * Rejects if the store fails.
   */
  async find(
    id: string,
    pendingOpen: PendingOpen<T>,
    loadToken: string | undefined,
  ): Promise<LoadResult | FailedLoad> {
    for (;;) {
      const owner = pendingOpen.speaker?.owner
      if (this.#source.tellsOwner) pendingOpen.told = { owner }
      try {
        const found = await this.#call(id, pendingOpen, owner)
        if (found !== undefined || pendingOpen.isToldOfSpeaker) return { state: 'loaded', found, loadToken }
      } catch (error) {
        if (!this.#source.tellsOwner) throw error
        return { state: 'failed', error, owner }
      }
    }
  }

  /** Ends all calls as pending work: the registry is closing. */
  finishAll(): void {
    this.#calls.finishAll()
  }

  #call(
    id: string,
    pendingOpen: PendingOpen<T>,
    owner: string | undefined,
  ): Promise<FoundSession | undefined> {
    return new Promise((resolve, reject) => {
      const onLoaded = (result: unknown) => {
        try {
          resolve(this.#source.read(result, owner))
        } catch (error) {
          reject(error)
        }
      }
      const call = this.#calls.newCall(id, owner, { onLoaded, onFailed: reject })
      pendingOpen.load = call
      call.start()
    })
  }
}
