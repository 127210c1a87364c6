import { abortError, abortReason } from '../../core/async/abort-listeners.ts'
import { LoadCall, type LoadHost } from '../../core/async/load-call.ts'
import type { PendingWork } from '../../core/async/pending-work.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { noFactoryError } from '../../core/errors/turn-errors.ts'
import type { CreateSession } from '../../core/hooks.ts'
import { realClock } from '../../core/time/clock.ts'
import { findScope } from '../../core/turns/turn-scope.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import type { SessionLog } from '../session-log.ts'
import type { SessionStore } from '../storage/session-store.ts'
import type { OlderIncarnations } from './older-incarnations.ts'
import { type LoadResult, type OpenResult, PendingOpen } from './pending-open.ts'

export interface OpenRequest<T> {
  /**
   * Whether a session is to be made where there is none, or what makes its value instead of the registry's
   * `create`.
   */
  readonly create: boolean | CreateSession<T>
  /** The lock to take with the creation, or ''. */
  readonly token: string
  /** Aborts when the caller no longer waits; the call then rejects with the reason. */
  readonly signal?: AbortSignal | undefined
}

export interface LoaderComponents<T> {
  readonly owner: object
  readonly store: SessionStore<T>
  readonly olderIncarnations: OlderIncarnations<T>
  readonly log: SessionLog<T>
  readonly pending: PendingWork
  readonly options: ResolvedRedisOptions<T>
}

/**
 * Brings absent ids to life, by one `load` or one call of the factory that all callers of this process share.
 */
export class SessionLoader<T> {
  readonly #owner: object
  readonly #store: SessionStore<T>
  readonly #olderIncarnations: OlderIncarnations<T>
  readonly #log: SessionLog<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #pending: PendingWork
  /** `undefined` where nothing is loaded. */
  readonly #loadHost: LoadHost<T> | undefined
  /** Calls of the hook that have not settled, those that count no more included. */
  readonly #calls = new Set<LoadCall<T>>()
  readonly #pendingOpens = new Map<string, PendingOpen<T>>()
  #closedError: SessionRegistryError | undefined

  constructor({ owner, store, olderIncarnations, log, pending, options }: LoaderComponents<T>) {
    this.#owner = owner
    this.#store = store
    this.#olderIncarnations = olderIncarnations
    this.#log = log
    this.#pending = pending
    this.#options = options
    const { events } = log
    const { load, loadTimeoutMs } = options
    this.#loadHost =
      load === undefined ? undefined : { owner, events, clock: realClock, pending, load, loadTimeoutMs }
  }

  /** Rejects with what `load` or the factory failed with, and with the codes of the store. */
  async materialize(id: string, request: OpenRequest<T>): Promise<OpenResult> {
    if (this.#closedError !== undefined) throw this.#closedError
    const { create, signal } = request
    const pendingOpen = this.#pendingOpens.get(id) ?? this.#start(id)
    pendingOpen.callerCount += 1
    if (create !== false) pendingOpen.create ??= create === true ? this.#options.create : create
    try {
      const result = await pendingOpen.wait(signal)
      if (this.#closedError !== undefined) throw this.#closedError
      if (result === 'changed' || pendingOpen.isDropped) return { state: 'changed' }
      if (result.value === undefined && create === false) return { state: 'absent' }
      const isFirst = pendingOpen.created === undefined
      pendingOpen.created ??= this.#createSession(id, pendingOpen, result, request)
      const created = await pendingOpen.created
      if (pendingOpen.isDropped) return { state: 'changed' }
      // The lock is of the one who has created with it.
      return created.state === 'created' && !isFirst ? { ...created, token: '' } : created
    } finally {
      this.#cancel(id, pendingOpen, signal)
    }
  }

  /**
   * The id was deleted: what is being loaded here is dropped, those who wait load anew. Returns whether there
   * was such.
   */
  drop(id: string): boolean {
    const pendingOpen = this.#pendingOpens.get(id)
    if (pendingOpen === undefined || this.#loadHost === undefined) return false
    if (pendingOpen.load !== undefined && findScope(this.#owner, id) === pendingOpen.load.hook) {
      // It would be called again and again. What it gives comes after the deletion.
      pendingOpen.isDeletedByHook = true
      return false
    }
    this.#pendingOpens.delete(id)
    pendingOpen.drop()
    this.#log.events.flush()
    return true
  }

  /** How many wait for the id to be brought to life. */
  waitingCount(id: string): number {
    return this.#pendingOpens.get(id)?.callerCount ?? 0
  }

  /** The ids that are being brought to life here. */
  ids(): string[] {
    return [...this.#pendingOpens.keys()]
  }

  rejectAll(error: SessionRegistryError): void {
    this.#closedError = error
    for (const pendingOpen of this.#pendingOpens.values()) pendingOpen.fail(error)
    for (const call of this.#calls) call.finish()
    this.#calls.clear()
    this.#log.events.flush()
  }

  #start(id: string): PendingOpen<T> {
    const pendingOpen = new PendingOpen<T>()
    this.#pendingOpens.set(id, pendingOpen)
    pendingOpen.follow(this.#loadNewest(id, pendingOpen))
    return pendingOpen
  }

  /** The last who leaves takes the work with them: it is not for those who come later. */
  #cancel(id: string, pendingOpen: PendingOpen<T>, signal: AbortSignal | undefined): void {
    pendingOpen.callerCount -= 1
    if (pendingOpen.callerCount > 0) return
    if (this.#pendingOpens.get(id) === pendingOpen) this.#pendingOpens.delete(id)
    pendingOpen.abort(signal?.aborted === true ? abortReason(signal) : abortError())
    this.#log.events.flush()
  }

  async #loadNewest(id: string, pendingOpen: PendingOpen<T>): Promise<LoadResult<T> | 'changed'> {
    const { signal } = pendingOpen.waitController
    if (this.#loadHost === undefined) {
      await this.#olderIncarnations.waitForDeleted(id, signal)
      return { value: undefined, loadToken: undefined }
    }
    const newest = await this.#olderIncarnations.waitForNewest(id, signal)
    if (newest === 'live') return 'changed'
    return { value: await this.#load(id, pendingOpen, this.#loadHost), loadToken: newest.loadToken }
  }

  /** Never settles where the call is aborted: those who waited have been told. */
  #load(id: string, pendingOpen: PendingOpen<T>, host: LoadHost<T>): Promise<{ readonly of: T } | undefined> {
    return new Promise((resolve, reject) => {
      const call = new LoadCall<T>(host, id, {
        onLoaded: (value) => resolve(value === undefined ? undefined : { of: value }),
        onFailed: reject,
        onFinished: () => this.#calls.delete(call),
      })
      this.#calls.add(call)
      pendingOpen.load = call
      call.start()
      host.events.flush()
    })
  }

  #createSession(
    id: string,
    pendingOpen: PendingOpen<T>,
    result: LoadResult<T>,
    { create, token }: OpenRequest<T>,
  ): Promise<OpenResult> {
    const ownFactory = typeof create === 'function' ? create : undefined
    let text: string
    try {
      text = this.#encode(id, result, ownFactory ?? this.#options.create ?? pendingOpen.create)
    } catch (error) {
      // What a call's own factory throws is no matter of the others who wait.
      if (ownFactory !== undefined) throw error
      return Promise.reject(error)
    }
    const loadToken = pendingOpen.isDeletedByHook ? undefined : result.loadToken
    return this.#pending.track(this.#create(id, text, { ...result, loadToken }, token))
  }

  /** The text of the new life. */
  #encode(id: string, { value }: LoadResult<T>, factory: CreateSession<T> | undefined): string {
    const { codec } = this.#options
    if (value !== undefined) return codec.encode(value.of)
    if (factory === undefined) throw noFactoryError()
    return codec.encode(factory(id))
  }

  async #create(
    id: string,
    text: string,
    { value, loadToken }: LoadResult<T>,
    token: string,
  ): Promise<OpenResult> {
    const { timeoutMs } = this.#options
    const created = await this.#store.create(id, text, timeoutMs, { token, loadToken })
    if (created.state === 'exists') return { state: 'changed' }
    this.#log.created(created.snapshot, value !== undefined)
    return created.state === 'created' ? { ...created, state: 'created', token } : { state: 'changed' }
  }
}
