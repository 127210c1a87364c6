import { abortError, abortReason } from '../core/abort-listeners.ts'
import { realClock, Timer } from '../core/clock.ts'
import type { SessionRegistryError } from '../core/errors.ts'
import type { CreateSession, LoadSession } from '../core/hooks.ts'
import { loadTimedOut, noFactory } from '../core/refusals.ts'
import { HookCall, runInScope } from '../core/turn-scope.ts'
import { type Brought, type Found, Opening } from './opening.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { jitter, pause } from './pause.ts'
import type { SessionStore } from './session-store.ts'
import type { Teller } from './teller.ts'

export interface BringOptions<T> {
  /** Whether a session is to be made where there is none, or what makes its value instead of the registry's `create`. */
  readonly create: boolean | CreateSession<T>
  /** An older life of the id is not archived yet. */
  readonly waits: boolean
  /** The lock to take with the creation, or ''. */
  readonly token: string
  /** Aborts when the caller no longer waits; the call then rejects with the reason. */
  readonly left?: AbortSignal | undefined
}

const firstPauseMs = 20
const maxPauseMs = 200

/** Brings absent ids to life, by one `load` or one call of the factory that all callers of this process share. */
export class Opener<T> {
  readonly #owner: object
  readonly #store: SessionStore<T>
  readonly #teller: Teller<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #openings = new Map<string, Opening<T>>()
  #refusal: SessionRegistryError | undefined
  /** Called when somebody waits for an older life of an id, for it may be this process that has to archive it. */
  whenWaiting: ((id: string) => void) | undefined = undefined

  constructor(owner: object, store: SessionStore<T>, teller: Teller<T>, options: ResolvedRedisOptions<T>) {
    this.#owner = owner
    this.#store = store
    this.#teller = teller
    this.#options = options
  }

  /** Rejects with what `load` or the factory failed with, and with the codes of the store. */
  async bring(id: string, { create, waits, token, left }: BringOptions<T>): Promise<Brought> {
    if (this.#refusal !== undefined) throw this.#refusal
    const opening = this.#openings.get(id) ?? this.#begin(id, waits)
    opening.count += 1
    if (create !== false) opening.create ??= create === true ? this.#options.create : create
    try {
      const found = await opening.wait(left)
      if (this.#refusal !== undefined) throw this.#refusal
      if (found === 'changed' || opening.isDropped) return { state: 'changed' }
      if (found === 'nothing' && create === false) return { state: 'absent' }
      const isFirst = opening.made === undefined
      opening.made ??= this.#make(id, opening, found, token)
      const made = await opening.made
      if (opening.isDropped) return { state: 'changed' }
      // The lock is of the one who has created with it.
      return made.state === 'created' && !isFirst ? { ...made, token: '' } : made
    } finally {
      this.#leave(id, opening, left)
    }
  }

  /** An older life of the id was put away, here. */
  settled(id: string): void {
    this.#openings.get(id)?.nap?.cut()
  }

  /** The id was deleted: what is being loaded here is dropped, those who wait load anew. Returns whether there was such. */
  drop(id: string): boolean {
    const opening = this.#openings.get(id)
    if (opening === undefined || this.#options.load === undefined) return false
    this.#openings.delete(id)
    opening.drop()
    return true
  }

  /** The ids that are being brought to life here. */
  ids(): string[] {
    return [...this.#openings.keys()]
  }

  refuseAll(error: SessionRegistryError): void {
    this.#refusal = error
    for (const opening of this.#openings.values()) opening.fail(error)
  }

  #begin(id: string, waits: boolean): Opening<T> {
    const opening = new Opening<T>()
    this.#openings.set(id, opening)
    opening.expect(this.#find(id, opening, waits))
    return opening
  }

  /** The last who leaves takes the work with them: it is not for those who come later. */
  #leave(id: string, opening: Opening<T>, left: AbortSignal | undefined): void {
    opening.count -= 1
    if (opening.count > 0) return
    if (this.#openings.get(id) === opening) this.#openings.delete(id)
    opening.abort(left?.aborted === true ? abortReason(left) : abortError())
  }

  async #find(id: string, opening: Opening<T>, waits: boolean): Promise<Found<T>> {
    const { load } = this.#options
    if (load === undefined) return 'nothing'
    if (waits && (await this.#waitForOlder(id, opening)) === 'live') return 'changed'
    const { signal } = opening.loading
    if (signal.aborted) throw signal.reason
    return this.#load(id, opening, load)
  }

  async #load(id: string, opening: Opening<T>, load: LoadSession<T>): Promise<Found<T>> {
    const { loadTimeoutMs } = this.#options
    const { signal } = opening.loading
    const call = new HookCall()
    const timedOut = () => opening.fail(loadTimedOut(loadTimeoutMs))
    const timer = new Timer(realClock, timedOut, loadTimeoutMs, { keepsAlive: true })
    const stop = () => timer.cancel()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const value = await runInScope(this.#owner, id, call, () => load(id, { signal }))
      return value === undefined ? 'nothing' : { of: value }
    } finally {
      call.isOver = true
      stop()
    }
  }

  /** Until the older lives are archived or given up, for `maxTurnMs` at most. */
  async #waitForOlder(id: string, opening: Opening<T>): Promise<'live' | 'settled'> {
    const until = realClock.now() + this.#options.maxTurnMs
    for (let pauseMs = firstPauseMs; realClock.now() < until; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      await this.#store.hurry(id, maxPauseMs)
      this.whenWaiting?.(id)
      opening.nap = pause(Math.min(jitter(pauseMs), until - realClock.now()))
      await opening.nap.over
      if (opening.loading.signal.aborted) throw opening.loading.signal.reason
      const entered = await this.#store.enter(id, {})
      if (entered.state === 'live') return 'live'
      if (!entered.waits) return 'settled'
    }
    opening.isLate = true
    return 'settled'
  }

  async #make(
    id: string,
    opening: Opening<T>,
    found: { readonly of: T } | 'nothing',
    token: string,
  ): Promise<Brought> {
    const { load, codec, timeoutMs } = this.#options
    const { create } = opening
    if (found === 'nothing' && create === undefined) throw noFactory()
    const value = found === 'nothing' ? create?.(id) : found.of
    const isLoaded = load !== undefined && !opening.isLate
    const text = codec.encode(value as T)
    const created = await this.#store.create(id, text, timeoutMs, { token, isLoaded })
    if (created.state === 'exists') return { state: 'changed' }
    this.#teller.created(created.life, found !== 'nothing')
    return created.state === 'created' ? { ...created, state: 'created', token } : { state: 'changed' }
  }
}
