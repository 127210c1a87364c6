import type { HookHost } from '../../core/async/hook-call.ts'
import { LoadCalls } from '../../core/async/load-calls.ts'
import { runIn } from '../../core/async/run-in.ts'
import type { FoundSession, LoadSource } from './load-source.ts'
import type { FailedLoad, LoadResult, OpenRequest, PendingOpen } from './pending-open.ts'

/** The searches for sessions that are not in Redis. */
export class Lookups<T> {
  readonly #source: LoadSource
  readonly #calls: LoadCalls<unknown>

  constructor(host: HookHost, source: LoadSource, loadTimeoutMs: number) {
    this.#source = source
    this.#calls = new LoadCalls(host, source.load, loadTimeoutMs)
  }

  /**
   * Looks for the session of an id, on behalf of the first of its callers. If `load` fails for the owner of
   * that one, or it has left when nothing was found, the next owner is asked for. Never settles after an
   * abort: the callers have been rejected.
   *
   * Rejects if the store fails.
   */
  async find(
    id: string,
    pendingOpen: PendingOpen<T>,
    loadToken: string | undefined,
  ): Promise<LoadResult | FailedLoad> {
    for (;;) {
      const { speaker } = pendingOpen
      const owner = speaker?.owner
      if (this.#source.tellsOwner) pendingOpen.told = { owner }
      try {
        const found = await this.#call(id, pendingOpen, speaker)
        if (found !== undefined || pendingOpen.isToldOfSpeaker) return { state: 'loaded', found, loadToken }
      } catch (error) {
        if (!this.#source.tellsOwner) throw error
        const failed = { state: 'failed', error, owner } as const
        if (!pendingOpen.failOwner(failed)) return failed
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
    speaker: OpenRequest<T> | undefined,
  ): Promise<FoundSession | undefined> {
    const owner = speaker?.owner
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
      runIn(speaker?.context, () => call.start())
    })
  }
}
