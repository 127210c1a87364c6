import { needsOpenError, notOwnerError } from '../../core/errors/turn-errors.ts'
import type { StoredSession } from '../../core/store.ts'
import { realClock } from '../../core/time/clock.ts'
import { CallOutcomes } from '../../core/watching/call-outcomes.ts'
import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import { maxLifetimeOf, type ResolvedRedisOptions } from '../options.ts'
import { acquire } from '../scripts/acquire.lua.ts'
import { assign } from '../scripts/assign.lua.ts'
import { commit } from '../scripts/commit.lua.ts'
import { create } from '../scripts/create.lua.ts'
import { read } from '../scripts/read.lua.ts'
import { renew } from '../scripts/renew.lua.ts'
import { replace } from '../scripts/replace.lua.ts'
import { withdraw } from '../scripts/withdraw.lua.ts'
import { stateOfStored, storedStateText } from '../storing/stored-state.ts'
import { type AccessOptions, flagsOf } from './access-options.ts'
import { shardFullError } from './capacity.ts'
import type { Keys } from './keys.ts'
import { type CommitOutcome, type CommitRef, kindCode, type LeaseRef } from './lease-ref.ts'
import type { NearCache } from './near-cache.ts'
import { comparedStates, ownerText } from './owner-text.ts'
import { changeArgs, noChanges, type SessionChanges } from './session-changes.ts'
import { type NewSession, SessionDraft } from './session-draft.ts'
import { forgetReply } from './session-removals.ts'
import { readEnded, readState, type SessionSnapshot } from './session-snapshot.ts'
import { newToken } from './tokens.ts'
import { UncertainLocks } from './uncertain-locks.ts'

export type AccessResult =
  /** `awaitsArchive`: an older incarnation of the id is not archived yet. */
  | { readonly state: 'absent'; readonly awaitsArchive: boolean }
  | { readonly state: 'live'; readonly snapshot: SessionSnapshot; readonly isAcquired: boolean }

/** The outcome of a creation. `ended`: it was created, and ended while the reply was lost. */
export type CreateResult =
  /** There is a live session, or a newer state than the loaded one. */
  { readonly state: 'exists' } | { readonly state: 'created' | 'ended'; readonly snapshot: SessionSnapshot }

export interface CreateContext {
  /** The token of the turn lock to take, or ''. */
  readonly token?: string
  readonly loadToken?: string | undefined
  readonly stored?: StoredSession | undefined
}

/** The outcome of an assignment. `busy`: a turn has the session, or waits for it. */
export type AssignResult =
  | { readonly state: 'busy' | 'assigned' }
  | { readonly state: 'created' | 'ended'; readonly snapshot: SessionSnapshot }

/** The sessions in Redis. Each member is one script: one round trip, which may be repeated. */
export class SessionStore<T> {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #cache: NearCache
  readonly #options: ResolvedRedisOptions<T>
  readonly #retention: string
  readonly #lease: string
  readonly #locks: UncertainLocks
  /** Whether new sessions are refused, since their shards are full. */
  readonly creations = new CallOutcomes(realClock)
  /** Called when a session of this shard may expire in `inMs`. */
  onDeadline: ((shard: number, inMs: number) => void) | undefined = undefined

  constructor(call: CallScript, keys: Keys, cache: NearCache, options: ResolvedRedisOptions<T>) {
    this.#call = call
    this.#keys = keys
    this.#cache = cache
    this.#options = options
    this.#retention = String(options.retentionMs)
    this.#lease = String(options.leaseMs)
    this.#locks = new UncertainLocks(options.leaseMs)
  }

  /** Returns the token for an attempt to take the turn lock of a session. */
  lockToken(id: string): string {
    return this.#locks.tokenFor(id)
  }

  /**
   * Finds the live session of an id.
   *
   * @throws SessionRegistryError `ERR_SESSION_NOT_OWNER`: nothing was changed
   */
  async access(id: string, options: AccessOptions): Promise<AccessResult> {
    const known = options.reads === true ? this.#cache.get(id) : undefined
    const version = known === undefined ? '' : `${known.incarnation}:${known.version}`
    const reply = new ReplyReader(await this.#findLive(id, version, options))
    const found = reply.readNumber()
    if (found === 2) throw notOwnerError()
    const seenAt = reply.readNumber()
    if (found === 0) {
      this.#cache.delete(id)
      return { state: 'absent', awaitsArchive: reply.readNumber() === 1 }
    }
    const incarnation = reply.readText()
    const state = readState(reply)
    const held = reply.readNumber() === 1
    const isAcquired = reply.readNumber() === 1
    const isSent = reply.readNumber() === 1
    const text = isSent ? reply.readText() : (known?.text ?? '')
    if (isSent) this.#cache.set(id, { incarnation, version: state.version, text })
    return { state: 'live', snapshot: { id, incarnation, ...state, seenAt, held, text }, isAcquired }
  }

  #findLive(id: string, version: string, options: AccessOptions): Promise<unknown> {
    const { touches, reads, takes, onLate } = options
    const keys = this.#keys.session(id)
    const owner = ownerText(options.owner)
    if (takes === undefined) {
      const args = [id, this.#retention, touches ? '1' : '0', reads ? version : '-', owner]
      return this.#call(read, keys, args)
    }
    const { kind, token } = takes
    const args = [id, this.#retention, flagsOf(options), version, owner, token, this.#lease]
    const called = this.#call(acquire, keys, args, {
      onLate: (late) => this.#onLateAcquire(id, takes, late, onLate),
    })
    return kind === 'turn' ? this.#locks.track(id, token, called) : called
  }

  /**
   * Creates a session. `loadToken` names the state that the value was loaded from: nothing is created unless
   * that is still the newest. `stored` is that state if it came from the store: its age goes on.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  async create(
    id: string,
    session: NewSession,
    { token = '', loadToken, stored }: CreateContext = {},
  ): Promise<CreateResult> {
    const draft = new SessionDraft(id, session, this.#options)
    const { incarnation } = draft
    const args = [...draft.args, token, this.#lease]
    args.push(loadToken === undefined ? '0' : '1', loadToken ?? '')
    if (stored !== undefined)
      args.push(String(stored.createdAt), storedStateText(stateOfStored(stored, incarnation)))
    const lock = { id, incarnation, kind: 'turn', token } as const
    const onLate = token === '' ? undefined : () => this.#releaseLate(lock)
    const called = this.#call(create, this.#keys.ofId(id), args, { ...draft.callOptions, onLate })
    const reply = new ReplyReader(await (token === '' ? called : this.#locks.track(id, token, called)))
    const state = reply.readNumber()
    if (state === 0) return { state: 'exists' }
    if (state === 3) this.#assertNotRefused(state)
    const snapshot = this.#onAdded(id, draft, reply)
    if (snapshot.maxAgeAt < snapshot.seenAt + this.#options.maxAgeMs)
      this.onDeadline?.(this.#keys.shardOf(id), snapshot.maxAgeAt - snapshot.seenAt)
    return {
      state: state === 1 ? 'created' : 'ended',
      snapshot: stored === undefined ? snapshot : { ...snapshot, lastActiveAt: snapshot.seenAt },
    }
  }

  /**
   * Assigns the value of the live session, or creates one.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_NOT_OWNER`,
   *   `ERR_SESSION_NEEDS_OPEN`
   */
  async assign(id: string, session: NewSession): Promise<AssignResult> {
    const draft = new SessionDraft(id, session, this.#options)
    const operation = newToken()
    const args = [...draft.args, comparedStates(this.#options), operation]
    const reply = new ReplyReader(await this.#call(assign, this.#keys.ofId(id), args, draft.callOptions))
    const state = reply.readNumber()
    if (state === 0) return { state: 'busy' }
    this.#assertNotRefused(state)
    if (state === 4) {
      reply.readNumber()
      this.#cache.set(id, { incarnation: reply.readText(), version: operation, text: session.text })
      this.onDeadline?.(this.#keys.shardOf(id), reply.readNumber())
      return { state: 'assigned' }
    }
    return { state: state === 1 ? 'created' : 'ended', snapshot: this.#onAdded(id, draft, reply) }
  }

  /**
   * Creates a session in place of a live one; returns both.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_NOT_OWNER`,
   *   `ERR_SESSION_NEEDS_OPEN`
   */
  async replace(
    id: string,
    session: NewSession,
  ): Promise<{ readonly snapshot: SessionSnapshot; readonly replaced: SessionSnapshot | undefined }> {
    const draft = new SessionDraft(id, session, this.#options)
    const operation = newToken()
    const keys = this.#keys.ofId(id, operation)
    const args = [...draft.args, comparedStates(this.#options)]
    const reply = new ReplyReader(await this.#call(replace, keys, args, draft.callOptions))
    this.#assertNotRefused(reply.readNumber())
    const snapshot = this.#onCreated(id, draft, reply)
    const replaced = reply.remaining > 0 ? readEnded(id, snapshot.seenAt, reply) : undefined
    if (replaced !== undefined) forgetReply(this.#call, this.#keys, id, operation)
    return { snapshot, replaced }
  }

  async commit(lease: CommitRef, changes: SessionChanges, version: string): Promise<CommitOutcome> {
    const { id, incarnation, kind, token } = lease
    const { text, timeoutMs } = changes
    const operation = newToken()
    const call = [id, this.#retention, incarnation, token, kindCode[kind], operation]
    const args = [...call, ...changeArgs(changes), version]
    const lifetime =
      timeoutMs === undefined ? undefined : { maxLifetimeMs: maxLifetimeOf(this.#options, timeoutMs) }
    // While it is under way, no other attempt may use the token: their lock would be released.
    this.#locks.forget(id, token)
    const called = this.#call(commit, this.#keys.session(id), args, lifetime)
    const reply = new ReplyReader(await (kind === 'turn' ? this.#locks.track(id, token, called) : called))
    const state = reply.readNumber()
    if (state < 0) this.#cache.forget(lease)
    if (state <= 0) return state === 0 ? 'lost' : 'ended'
    // If a later save came before the repeat, its version differs, and this entry is not used.
    if (text !== undefined) this.#cache.set(id, { incarnation, version: operation, text })
    if (state === 1) this.onDeadline?.(this.#keys.shardOf(id), reply.readNumber())
    return 'done'
  }

  async renew({
    id,
    incarnation,
    kind,
    token,
  }: LeaseRef): Promise<'renewed' | 'interrupted' | 'lost' | 'ended'> {
    const args = [id, this.#retention, incarnation, token, kindCode[kind], this.#lease]
    const reply = new ReplyReader(
      await this.#call(renew, this.#keys.session(id), args, { isBackground: true }),
    )
    const state = reply.readNumber()
    if (state !== 1) return state === 0 ? 'lost' : 'ended'
    return reply.readNumber() === 1 ? 'interrupted' : 'renewed'
  }

  /** Stops waiting for the lock. If this fails, the entry lapses soon. */
  async withdraw(id: string, token: string): Promise<void> {
    await this.#call(withdraw, this.#keys.session(id), [id, this.#retention, token], { isBackground: true })
  }

  /** A lock or a hold was taken, but the reply came too late for the caller. */
  #onLateAcquire(
    id: string,
    takes: NonNullable<AccessOptions['takes']>,
    late: ReplyReader,
    onLate: AccessOptions['onLate'],
  ): void {
    if (late.readNumber() !== 1) return
    late.readNumber()
    const incarnation = late.readText()
    if (onLate === undefined) this.#releaseLate({ id, incarnation, ...takes })
    else onLate(incarnation)
  }

  #releaseLate(lease: LeaseRef): void {
    // The next attempt of this process may have the lock by now.
    if (lease.kind === 'turn' && !this.#locks.forget(lease.id, lease.token)) return
    // If this fails too, the lease lapses.
    this.commit(lease, noChanges, '').catch(() => {})
  }

  #assertNotRefused(state: number): void {
    if (state === 3) {
      this.creations.onFailed()
      throw shardFullError(this.#options)
    }
    if (state === 5) throw notOwnerError()
    if (state === 6) throw needsOpenError('may be stored, and belong to another owner')
  }

  /** A session was created that needed a place. */
  #onAdded(id: string, draft: SessionDraft<T>, reply: ReplyReader): SessionSnapshot {
    this.creations.onSucceeded()
    return this.#onCreated(id, draft, reply)
  }

  #onCreated(id: string, draft: SessionDraft<T>, reply: ReplyReader): SessionSnapshot {
    this.onDeadline?.(this.#keys.shardOf(id), draft.expiresInMs)
    const snapshot = draft.readCreated(reply)
    const { incarnation, version, text } = snapshot
    this.#cache.set(id, { incarnation, version, text })
    return snapshot
  }
}
