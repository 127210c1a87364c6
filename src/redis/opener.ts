import { realClock } from '../core/clock.ts'
import type { SessionRegistryError } from '../core/errors.ts'
import { noFactory } from '../core/refusals.ts'
import { HookCall, runInScope } from '../core/turn-scope.ts'
import type { Life } from './life.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { jitter, type Pause, pause } from './pause.ts'
import type { SessionStore } from './session-store.ts'
import type { Teller } from './teller.ts'

/** What has become of an id that was absent. */
export type Brought =
  | { readonly state: 'absent' }
  /** Somebody else has created it meanwhile, or it has ended again: look once more. */
  | { readonly state: 'changed' }
  /** `token`: the lock that its creator has taken with it. */
  | { readonly state: 'created'; readonly life: Life; readonly token: string }

export interface BringOptions {
  readonly creates: boolean
  /** An older life of the id is not archived yet. */
  readonly waits: boolean
  /** The lock to take with the creation, or ''. */
  readonly token: string
}

/** What stands for the value of the new life: what `load` gave, or nothing; or it lives, by somebody else. */
type Found<T> = { readonly of: T } | 'nothing' | 'live'

/** What is under way to bring one id to life, and for how many. */
class Opening<T> {
  readonly loading = new AbortController()
  waiters = 0
  found: Promise<Found<T>> | undefined
  made: Promise<Brought> | undefined
  /** Whether the wait for the older lives was too long: it is loaded and created without them. */
  isLate = false
  nap: Pause | undefined
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
  async bring(id: string, { creates, waits, token }: BringOptions): Promise<Brought> {
    const opening = this.#openings.get(id) ?? new Opening<T>()
    this.#openings.set(id, opening)
    opening.waiters += 1
    try {
      opening.found ??= this.#find(id, opening, waits)
      const found = await opening.found
      if (this.#refusal !== undefined) throw this.#refusal
      if (found === 'live') return { state: 'changed' }
      if (found === 'nothing' && !creates) return { state: 'absent' }
      const isFirst = opening.made === undefined
      opening.made ??= this.#make(id, opening, found, token)
      const made = await opening.made
      // The lock is of the one who has created with it.
      return made.state === 'created' && !isFirst ? { ...made, token: '' } : made
    } finally {
      this.#leave(id, opening)
    }
  }

  /** An older life of the id was put away, here. */
  settled(id: string): void {
    this.#openings.get(id)?.nap?.cut()
  }

  /** Nobody waits for this id any more: the load is aborted. */
  abandon(id: string, reason: unknown): void {
    const opening = this.#openings.get(id)
    if (opening === undefined || opening.waiters > 1) return
    this.#openings.delete(id)
    opening.loading.abort(reason)
  }

  refuseAll(error: SessionRegistryError): void {
    this.#refusal = error
    for (const { loading, nap } of this.#openings.values()) {
      loading.abort(error)
      nap?.cut()
    }
  }

  #leave(id: string, opening: Opening<T>): void {
    opening.waiters -= 1
    if (opening.waiters === 0 && this.#openings.get(id) === opening) this.#openings.delete(id)
  }

  async #find(id: string, opening: Opening<T>, waits: boolean): Promise<Found<T>> {
    const { load } = this.#options
    if (load === undefined) return 'nothing'
    if (waits && (await this.#waitForOlder(id, opening)) === 'live') return 'live'
    if (this.#refusal !== undefined) throw this.#refusal
    const call = new HookCall()
    const { signal } = opening.loading
    try {
      const value = await runInScope(this.#owner, id, call, () => load(id, { signal }))
      return value === undefined ? 'nothing' : { of: value }
    } finally {
      call.isOver = true
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
    const { create, load, codec, timeoutMs } = this.#options
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
