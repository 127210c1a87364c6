import { abortError, abortReason } from '../../core/async/abort-listeners.ts'
import type { PendingWork } from '../../core/async/pending-work.ts'
import { runIn } from '../../core/async/run-in.ts'
import type { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { noFactoryError } from '../../core/errors/turn-errors.ts'
import type { CreateSession } from '../../core/hooks.ts'
import { isAdmitted } from '../../core/owner.ts'
import { realClock } from '../../core/time/clock.ts'
import { findScope } from '../../core/turns/turn-scope.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import type { SnapshotLog } from '../snapshot-log.ts'
import type { SessionStore } from '../storage/session-store.ts'
import { untilAborted } from '../until-aborted.ts'
import { type FactoryCall, FactoryCalls } from './factory-calls.ts'
import type { LoadSource } from './load-source.ts'
import { Lookups } from './lookups.ts'
import type { OlderIncarnations } from './older-incarnations.ts'
import {
  type LoadResult,
  type Making,
  type OpenRequest,
  type OpenResult,
  PendingOpen,
  type SearchResult,
} from './pending-open.ts'

/** A value as text, and to whom its session is going to belong. */
interface MadeValue {
  readonly text: string
  readonly owner: string | undefined
}

export interface LoaderComponents<T> {
  readonly owner: object
  /** `undefined` where there is neither a store nor a `load` hook. */
  readonly source: LoadSource | undefined
  readonly store: SessionStore<T>
  readonly olderIncarnations: OlderIncarnations<T>
  readonly log: SnapshotLog<T>
  readonly pending: PendingWork
  readonly options: ResolvedRedisOptions<T>
}

/**
 * A loader of absent sessions: one `load`, or one call of the factory, for all callers of this process
 * (single flight).
 */
export class SessionLoader<T> {
  readonly #owner: object
  readonly #store: SessionStore<T>
  readonly #olderIncarnations: OlderIncarnations<T>
  readonly #log: SnapshotLog<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #pending: PendingWork
  /** `undefined` where there is neither a store nor a `load` hook. */
  readonly #lookups: Lookups<T> | undefined
  readonly #factories: FactoryCalls<T>
  readonly #pendingOpens = new Map<string, PendingOpen<T>>()
  #closedError: SessionRegistryError | undefined

  constructor(components: LoaderComponents<T>) {
    const { owner, source, store, olderIncarnations, log, pending, options } = components
    this.#owner = owner
    this.#store = store
    this.#olderIncarnations = olderIncarnations
    this.#log = log
    this.#pending = pending
    this.#options = options
    const { step } = log
    const host = { owner, step, clock: realClock, pending }
    this.#factories = new FactoryCalls(host, options.loadTimeoutMs)
    if (source !== undefined) this.#lookups = new Lookups(host, source, options.loadTimeoutMs)
  }

  /**
   * Loads or creates the session of an absent id. It belongs to the first caller of those that wait.
   *
   * Rejects with the error of `load` or the factory, and with the codes of the store.
   */
  async materialize(id: string, request: OpenRequest<T>): Promise<OpenResult> {
    if (this.#closedError !== undefined) throw this.#closedError
    const pendingOpen = this.#pendingOpens.get(id) ?? new PendingOpen<T>()
    pendingOpen.requests.add(request)
    if (this.#pendingOpens.get(id) !== pendingOpen) this.#start(id, pendingOpen)
    try {
      const result = await pendingOpen.wait(request)
      if (this.#closedError !== undefined) throw this.#closedError
      if (result.state === 'changed' || pendingOpen.isDropped) return { state: 'changed' }
      if (result.state === 'failed') {
        if (request.owner !== result.owner) return { state: 'changed' }
        if (request.onLoadFailed === undefined) throw result.error
        request.onLoadFailed(result)
        return { state: 'changed' }
      }
      if (result.state === 'deadLetter') {
        const { sessionOwner } = result
        return isAdmitted(request.owner, sessionOwner)
          ? { state: 'changed' }
          : { state: 'refused', sessionOwner }
      }
      if (result.found === undefined && request.create === false) return { state: 'absent' }
      if (result.found === undefined) request.onAbsent?.()
      else if (!isAdmitted(request.owner, result.found.owner))
        return { state: 'refused', sessionOwner: result.found.owner }
      const made = result.found ?? (await this.#make(id, pendingOpen, request))
      if (this.#closedError !== undefined) throw this.#closedError
      if (made === undefined || pendingOpen.isDropped) return { state: 'changed' }
      const isFirst = pendingOpen.created === undefined
      // A caller that is about to be refused takes no lock.
      const token = isAdmitted(request.owner, made.owner) ? request.token : ''
      pendingOpen.created ??= this.#pending.track(this.#create(id, pendingOpen, result, made, token))
      const created = await pendingOpen.created
      if (pendingOpen.isDropped) return { state: 'changed' }
      // One that has the lock is not refused: it releases it.
      const hasLock = isFirst && token !== ''
      if (created.state === 'created' && !hasLock && !isAdmitted(request.owner, created.snapshot.owner))
        return { state: 'refused', sessionOwner: created.snapshot.owner }
      // The lock belongs to the caller that created with it.
      return created.state === 'created' && !isFirst ? { ...created, token: '' } : created
    } finally {
      this.#cancel(id, pendingOpen, request)
    }
  }

  /**
   * Drops what is being loaded or made for an id that was deleted: its callers begin again. Returns whether
   * there was such a load or creation.
   */
  drop(id: string): boolean {
    const pendingOpen = this.#pendingOpens.get(id)
    if (pendingOpen === undefined) return false
    const { load, making } = pendingOpen
    if (this.#lookups === undefined && making === undefined) return false
    const scope = findScope(this.#owner, id)
    if (scope !== undefined && (scope === load || scope === making?.call.hook)) {
      // A hook that deletes its own id is not called again: its result comes after the deletion.
      pendingOpen.isDeletedByHook = true
      return false
    }
    this.#startOver(id, pendingOpen)
    return true
  }

  /** Returns the number of callers that wait for the id. */
  waitingCount(id: string): number {
    return this.#pendingOpens.get(id)?.requests.size ?? 0
  }

  /** The opens that are under way, by id. */
  get pendingOpens(): ReadonlyMap<string, PendingOpen<T>> {
    return this.#pendingOpens
  }

  /** The calls of factories that have not settled, for opens, for `getOrCreate`, and for no one. */
  get makings(): Iterable<FactoryCall<T>> {
    return this.#factories.running
  }

  /** Returns the ids that are being loaded or created here. */
  ids(): string[] {
    return [...this.#pendingOpens.keys()]
  }

  rejectAll(error: SessionRegistryError): void {
    this.#closedError = error
    this.#log.step.run(() => {
      for (const pendingOpen of this.#pendingOpens.values()) pendingOpen.fail(error)
    })
    this.#lookups?.finishAll()
    this.#factories.rejectAll(error)
  }

  /** Calls a factory, within `loadTimeoutMs`. */
  callFactory(id: string, create: CreateSession<T>): Promise<T> {
    const call = this.#factories.newCall(id, create)
    call.start()
    return call.value
  }

  #start(id: string, pendingOpen: PendingOpen<T>): void {
    this.#pendingOpens.set(id, pendingOpen)
    pendingOpen.follow(this.#loadNewest(id, pendingOpen))
  }

  #startOver(id: string, pendingOpen: PendingOpen<T>): void {
    if (this.#pendingOpens.get(id) === pendingOpen) this.#pendingOpens.delete(id)
    pendingOpen.drop()
  }

  /** The last caller that leaves aborts the work: later callers begin anew. */
  #cancel(id: string, pendingOpen: PendingOpen<T>, request: OpenRequest<T>): void {
    const { signal } = request
    pendingOpen.requests.delete(request)
    if (pendingOpen.requests.size > 0) return
    if (this.#pendingOpens.get(id) === pendingOpen) this.#pendingOpens.delete(id)
    pendingOpen.abort(signal?.aborted === true ? abortReason(signal) : abortError())
  }

  async #loadNewest(id: string, pendingOpen: PendingOpen<T>): Promise<SearchResult> {
    const { signal } = pendingOpen.waitController
    if (this.#lookups === undefined) {
      await this.#olderIncarnations.waitForDeleted(id, signal)
      return { state: 'loaded', found: undefined, loadToken: undefined }
    }
    const ownerNow = () => pendingOpen.speaker?.owner
    const newest = await this.#olderIncarnations.waitForNewest(id, ownerNow, signal)
    if (newest.state === 'live') return { state: 'changed' }
    if (newest.state === 'refused') return { ...newest, state: 'deadLetter' }
    return this.#lookups.find(id, pendingOpen, newest.loadToken)
  }

  /**
   * Returns a new value, which the factory of one caller makes for all; `undefined` if they begin again.
   */
  async #make(
    id: string,
    pendingOpen: PendingOpen<T>,
    request: OpenRequest<T>,
  ): Promise<MadeValue | undefined> {
    const { signal } = request
    for (;;) {
      if (pendingOpen.making === undefined && !pendingOpen.isToldOfSpeaker) {
        this.#startOver(id, pendingOpen)
        return undefined
      }
      const making = pendingOpen.making ?? this.#startMaking(id, pendingOpen, request)
      try {
        const text = await (signal === undefined ? making.text : untilAborted(making.text, signal))
        return { text, owner: making.owner }
      } catch (error) {
        if (signal?.aborted === true) throw abortReason(signal)
        if (pendingOpen.isDropped) return undefined
        // The own factory of a call concerns that call alone.
        if (making.ownerOfFactory === undefined) throw error
        pendingOpen.requests.delete(making.ownerOfFactory)
        if (pendingOpen.making === making) pendingOpen.making = undefined
        if (making.ownerOfFactory !== request) continue
        if (request.onMakingFailed === undefined) throw error
        request.onMakingFailed(error)
        return undefined
      }
    }
  }

  /**
   * Calls the factory of the request to which the session is going to belong, or of another of its owner:
   * none gets what the factory of another owner's call has made.
   */
  #startMaking(id: string, pendingOpen: PendingOpen<T>, request: OpenRequest<T>): Making<T> {
    const { speaker = request, requests } = pendingOpen
    const { owner } = speaker
    const isLender = (one: OpenRequest<T>) => one.owner === owner && typeof one.create === 'function'
    const usesDefault = speaker.create === true && this.#options.create !== undefined
    const lender = usesDefault ? undefined : isLender(speaker) ? speaker : [...requests].find(isLender)
    const factory = lender === undefined ? this.#options.create : lender.create
    if (!usesDefault) (lender ?? speaker).onMaking?.()
    const call = this.#factories.newCall(id, typeof factory === 'function' ? factory : throwNoFactory)
    const text = call.value.then((value) => this.#options.codec.encode(value))
    // Its callers may have left.
    text.catch(() => {})
    const making = { call, text, owner, ownerOfFactory: usesDefault ? undefined : (lender ?? speaker) }
    pendingOpen.making = making
    runIn((lender ?? speaker).context, () => call.start())
    return making
  }

  async #create(
    id: string,
    { isDeletedByHook }: PendingOpen<T>,
    { found, loadToken: loadedFrom }: LoadResult,
    { text, owner }: MadeValue,
    token: string,
  ): Promise<OpenResult> {
    const stored = found?.stored
    const loadToken = isDeletedByHook ? undefined : loadedFrom
    const session = { text, timeoutMs: stored?.timeoutMs ?? this.#options.timeoutMs, owner }
    const created = await this.#store.create(id, session, { token, loadToken, stored })
    if (created.state === 'exists') return { state: 'changed' }
    this.#log.created(created.snapshot, found !== undefined)
    return created.state === 'created' ? { ...created, state: 'created', token } : { state: 'changed' }
  }
}

function throwNoFactory(): never {
  throw noFactoryError()
}
