import { abortError, abortReason } from '../core/abort-listeners.ts'
import { realClock, Timer } from '../core/clock.ts'
import type { SessionRegistryError } from '../core/errors.ts'
import type { CreateSession, LoadSession } from '../core/hooks.ts'
import { loadTimedOut, noFactory } from '../core/refusals.ts'
import { HookCall, runInScope } from '../core/turn-scope.ts'
import type { OlderLives } from './older-lives.ts'
import { type Brought, type Found, Opening } from './opening.ts'
import type { ResolvedRedisOptions } from './options.ts'
import type { SessionStore } from './session-store.ts'
import type { Teller } from './teller.ts'

export interface BringOptions<T> {
  /** Whether a session is to be made where there is none, or what makes its value instead of the registry's `create`. */
  readonly create: boolean | CreateSession<T>
  /** The lock to take with the creation, or ''. */
  readonly token: string
  /** Aborts when the caller no longer waits; the call then rejects with the reason. */
  readonly left?: AbortSignal | undefined
}

/** Brings absent ids to life, by one `load` or one call of the factory that all callers of this process share. */
export class Opener<T> {
  readonly #owner: object
  readonly #store: SessionStore<T>
  readonly #older: OlderLives<T>
  readonly #teller: Teller<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #openings = new Map<string, Opening<T>>()
  #refusal: SessionRegistryError | undefined

  constructor(
    owner: object,
    store: SessionStore<T>,
    older: OlderLives<T>,
    teller: Teller<T>,
    options: ResolvedRedisOptions<T>,
  ) {
    this.#owner = owner
    this.#store = store
    this.#older = older
    this.#teller = teller
    this.#options = options
  }

  /** Rejects with what `load` or the factory failed with, and with the codes of the store. */
  async bring(id: string, { create, token, left }: BringOptions<T>): Promise<Brought> {
    if (this.#refusal !== undefined) throw this.#refusal
    const opening = this.#openings.get(id) ?? this.#begin(id)
    opening.count += 1
    if (create !== false) opening.create ??= create === true ? this.#options.create : create
    try {
      const found = await opening.wait(left)
      if (this.#refusal !== undefined) throw this.#refusal
      if (found === 'changed' || opening.isDropped) return { state: 'changed' }
      if (found.value === undefined && create === false) return { state: 'absent' }
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

  /** The id was deleted: what is being loaded here is dropped, those who wait load anew. Returns whether there was such. */
  drop(id: string): boolean {
    const opening = this.#openings.get(id)
    if (opening === undefined || this.#options.load === undefined) return false
    this.#openings.delete(id)
    opening.drop()
    return true
  }

  /** How many wait for the id to be brought to life. */
  waiting(id: string): number {
    return this.#openings.get(id)?.count ?? 0
  }

  /** The ids that are being brought to life here. */
  ids(): string[] {
    return [...this.#openings.keys()]
  }

  refuseAll(error: SessionRegistryError): void {
    this.#refusal = error
    for (const opening of this.#openings.values()) opening.fail(error)
  }

  #begin(id: string): Opening<T> {
    const opening = new Opening<T>()
    this.#openings.set(id, opening)
    opening.expect(this.#find(id, opening))
    return opening
  }

  /** The last who leaves takes the work with them: it is not for those who come later. */
  #leave(id: string, opening: Opening<T>, left: AbortSignal | undefined): void {
    opening.count -= 1
    if (opening.count > 0) return
    if (this.#openings.get(id) === opening) this.#openings.delete(id)
    opening.abort(left?.aborted === true ? abortReason(left) : abortError())
  }

  async #find(id: string, opening: Opening<T>): Promise<Found<T> | 'changed'> {
    const { load } = this.#options
    if (load === undefined) {
      await this.#older.passDeleted(id, opening.loading.signal)
      return { value: undefined, loaded: undefined }
    }
    const newest = await this.#older.pass(id, opening.loading.signal)
    if (newest === 'live') return 'changed'
    return { value: await this.#load(id, opening, load), loaded: newest.loaded }
  }

  async #load(
    id: string,
    opening: Opening<T>,
    load: LoadSession<T>,
  ): Promise<{ readonly of: T } | undefined> {
    const { loadTimeoutMs } = this.#options
    const { signal } = opening.loading
    const call = new HookCall()
    const timedOut = () => opening.fail(loadTimedOut(loadTimeoutMs))
    const timer = new Timer(realClock, timedOut, loadTimeoutMs, { keepsAlive: true })
    const stop = () => timer.cancel()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const value = await runInScope(this.#owner, id, call, () => load(id, { signal }))
      return value === undefined ? undefined : { of: value }
    } finally {
      call.isOver = true
      stop()
    }
  }

  async #make(
    id: string,
    { create }: Opening<T>,
    { value, loaded }: Found<T>,
    token: string,
  ): Promise<Brought> {
    const { codec, timeoutMs } = this.#options
    if (value === undefined && create === undefined) throw noFactory()
    const text = codec.encode(value === undefined ? (create?.(id) as T) : value.of)
    const created = await this.#store.create(id, text, timeoutMs, { token, loaded })
    if (created.state === 'exists') return { state: 'changed' }
    this.#teller.created(created.life, value !== undefined)
    return created.state === 'created' ? { ...created, state: 'created', token } : { state: 'changed' }
  }
}
