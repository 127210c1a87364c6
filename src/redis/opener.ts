import { abortError, abortReason } from '../core/async/abort-listeners.ts'
import { LoadCall, type LoadHost } from '../core/async/load-call.ts'
import type { PendingWork } from '../core/async/pending-work.ts'
import type { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { noFactoryError } from '../core/errors/turn-errors.ts'
import type { CreateSession } from '../core/hooks.ts'
import { realClock } from '../core/time/clock.ts'
import { findScope } from '../core/turns/turn-scope.ts'
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

export interface OpenerParts<T> {
  readonly owner: object
  readonly store: SessionStore<T>
  readonly older: OlderLives<T>
  readonly teller: Teller<T>
  readonly pending: PendingWork
  readonly options: ResolvedRedisOptions<T>
}

/** Brings absent ids to life, by one `load` or one call of the factory that all callers of this process share. */
export class Opener<T> {
  readonly #owner: object
  readonly #store: SessionStore<T>
  readonly #older: OlderLives<T>
  readonly #teller: Teller<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #pending: PendingWork
  /** `undefined` where nothing is loaded. */
  readonly #loads: LoadHost<T> | undefined
  /** Calls of the hook that have not settled, those that count no more included. */
  readonly #calls = new Set<LoadCall<T>>()
  readonly #openings = new Map<string, Opening<T>>()
  #refusal: SessionRegistryError | undefined

  constructor({ owner, store, older, teller, pending, options }: OpenerParts<T>) {
    this.#owner = owner
    this.#store = store
    this.#older = older
    this.#teller = teller
    this.#pending = pending
    this.#options = options
    const { announcer } = teller
    const { load, loadTimeoutMs } = options
    this.#loads =
      load === undefined
        ? undefined
        : { owner, events: announcer, clock: realClock, pending, load, loadTimeoutMs }
  }

  /** Rejects with what `load` or the factory failed with, and with the codes of the store. */
  async bring(id: string, request: BringOptions<T>): Promise<Brought> {
    if (this.#refusal !== undefined) throw this.#refusal
    const { create, left } = request
    const opening = this.#openings.get(id) ?? this.#begin(id)
    opening.count += 1
    if (create !== false) opening.create ??= create === true ? this.#options.create : create
    try {
      const found = await opening.wait(left)
      if (this.#refusal !== undefined) throw this.#refusal
      if (found === 'changed' || opening.isDropped) return { state: 'changed' }
      if (found.value === undefined && create === false) return { state: 'absent' }
      const isFirst = opening.made === undefined
      opening.made ??= this.#make(id, opening, found, request)
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
    if (opening === undefined || this.#loads === undefined) return false
    if (opening.load !== undefined && findScope(this.#owner, id) === opening.load.hook) {
      // It would be called again and again. What it gives comes after the deletion.
      opening.isDeletedByHook = true
      return false
    }
    this.#openings.delete(id)
    opening.drop()
    this.#teller.announcer.flush()
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
    for (const call of this.#calls) call.finish()
    this.#calls.clear()
    this.#teller.announcer.flush()
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
    this.#teller.announcer.flush()
  }

  async #find(id: string, opening: Opening<T>): Promise<Found<T> | 'changed'> {
    const { signal } = opening.waiting
    if (this.#loads === undefined) {
      await this.#older.passDeleted(id, signal)
      return { value: undefined, loaded: undefined }
    }
    const newest = await this.#older.pass(id, signal)
    if (newest === 'live') return 'changed'
    return { value: await this.#load(id, opening, this.#loads), loaded: newest.loaded }
  }

  /** Never settles where the call is aborted: those who waited have been told. */
  #load(id: string, opening: Opening<T>, host: LoadHost<T>): Promise<{ readonly of: T } | undefined> {
    return new Promise((resolve, reject) => {
      const call = new LoadCall<T>(host, id, {
        onLoaded: (value) => resolve(value === undefined ? undefined : { of: value }),
        onFailed: reject,
        onFinished: () => this.#calls.delete(call),
      })
      this.#calls.add(call)
      opening.load = call
      call.start()
      host.events.flush()
    })
  }

  #make(
    id: string,
    opening: Opening<T>,
    found: Found<T>,
    { create, token }: BringOptions<T>,
  ): Promise<Brought> {
    const own = typeof create === 'function' ? create : undefined
    let text: string
    try {
      text = this.#encode(id, found, own ?? this.#options.create ?? opening.create)
    } catch (error) {
      // What a call's own factory throws is no matter of the others who wait.
      if (own !== undefined) throw error
      return Promise.reject(error)
    }
    const loaded = opening.isDeletedByHook ? undefined : found.loaded
    return this.#pending.track(this.#create(id, text, { ...found, loaded }, token))
  }

  /** The text of the new life. */
  #encode(id: string, { value }: Found<T>, factory: CreateSession<T> | undefined): string {
    const { codec } = this.#options
    if (value !== undefined) return codec.encode(value.of)
    if (factory === undefined) throw noFactoryError()
    return codec.encode(factory(id))
  }

  async #create(id: string, text: string, { value, loaded }: Found<T>, token: string): Promise<Brought> {
    const { timeoutMs } = this.#options
    const created = await this.#store.create(id, text, timeoutMs, { token, loaded })
    if (created.state === 'exists') return { state: 'changed' }
    this.#teller.created(created.life, value !== undefined)
    return created.state === 'created' ? { ...created, state: 'created', token } : { state: 'changed' }
  }
}
