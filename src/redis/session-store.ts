import { Answer } from './answer.ts'
import { limitText, shardFull } from './capacity.ts'
import { type EnterOptions, flagsOf } from './enter-options.ts'
import type { Keys } from './keys.ts'
import { kindCode, type LeaseRef, type LeaveOutcome, type LeaveRef } from './lease-ref.ts'
import { durationText, type Life, lagOf, readPast, readTimes } from './life.ts'
import { LostLocks } from './lost-locks.ts'
import { newName } from './names.ts'
import type { NearCache } from './near-cache.ts'
import { longestStay, type ResolvedRedisOptions } from './options.ts'
import { assign } from './scripts/assign.lua.ts'
import { create } from './scripts/create.lua.ts'
import { enter } from './scripts/enter.lua.ts'
import { leave } from './scripts/leave.lua.ts'
import { forget, remove } from './scripts/remove.lua.ts'
import { renew } from './scripts/renew.lua.ts'
import { replace } from './scripts/replace.lua.ts'
import { withdraw } from './scripts/withdraw.lua.ts'
import type { CallOptions, CallScript } from './shard-config.ts'

export type Entered =
  /** `waits`: an older life of the id is not archived yet. */
  | { readonly state: 'absent'; readonly waits: boolean }
  | { readonly state: 'live'; readonly life: Life; readonly isTaken: boolean }

/** What a try to create has come to. `ended`: created, and ended since, while the answer was lost. */
export type Created =
  /** There is a live session, or a newer state than the one that was loaded. */
  { readonly state: 'exists' } | { readonly state: 'created' | 'ended'; readonly life: Life }

/** What an assignment has come to. `busy`: a turn has the session, or waits for it. */
export type Assigned =
  | { readonly state: 'busy' | 'assigned' }
  | { readonly state: 'created' | 'ended'; readonly life: Life }

/** A life that was ended by a call, and what it was doing. */
export interface RemovedLife {
  readonly life: Life
  readonly state: 'live' | 'archiving' | 'over'
}

const removedState = { 0: 'over', 1: 'live', 2: 'archiving' } as const

/** The sessions of this registry in Redis: each member is one script, one round trip, and bears repetition. */
export class SessionStore<T> {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #cache: NearCache
  readonly #options: ResolvedRedisOptions<T>
  readonly #retention: string
  readonly #lease: string
  readonly #lostLocks: LostLocks
  readonly #most: string
  /** Called when a session of this shard may be over in `inMs`. */
  whenScheduled: ((shard: number, inMs: number) => void) | undefined = undefined

  constructor(call: CallScript, keys: Keys, cache: NearCache, options: ResolvedRedisOptions<T>) {
    this.#call = call
    this.#keys = keys
    this.#cache = cache
    this.#options = options
    this.#retention = String(options.retentionMs)
    this.#lease = String(options.leaseMs)
    this.#lostLocks = new LostLocks(options.leaseMs)
    this.#most = limitText(options.maxPerShard)
  }

  /** The token for a try to take the turn lock of a session. */
  lockToken(id: string): string {
    return this.#lostLocks.tokenFor(id)
  }

  async enter(id: string, options: EnterOptions): Promise<Entered> {
    const { reads, takes } = options
    const known = reads === true ? this.#cache.get(id) : undefined
    const version = known === undefined ? '' : `${known.incarnation}:${known.version}`
    const args = [id, this.#retention, version, flagsOf(options), takes?.token ?? '', this.#lease]
    const onLate = takes && ((late: Answer) => this.#takenLate(id, takes, late, options.onLate))
    const called = this.#call(enter, this.#keys.session(id), args, { onLate })
    const locks = takes?.kind === 'turn' ? this.#lostLocks.watch(id, takes.token, called) : called
    const answer = new Answer(await locks)
    const isLive = answer.number() === 1
    const seenAt = answer.number()
    if (!isLive) {
      this.#cache.delete(id)
      return { state: 'absent', waits: answer.number() === 1 }
    }
    const incarnation = answer.text()
    const times = readTimes(answer)
    const held = answer.number() === 1
    const isTaken = answer.number() === 1
    const isSent = answer.number() === 1
    const text = isSent ? answer.text() : (known?.text ?? '')
    if (isSent) this.#cache.set(id, { incarnation, version: times.version, text })
    return { state: 'live', life: { id, incarnation, ...times, seenAt, held, text }, isTaken }
  }

  /**
   * `loaded`: names the state that the value was loaded from; it is created only if that is still the newest.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  async create(
    id: string,
    text: string,
    timeoutMs: number,
    { token = '', loaded }: { readonly token?: string; readonly loaded?: string | undefined } = {},
  ): Promise<Created> {
    const incarnation = newName()
    const args = [...this.#beginning(id, incarnation, text, timeoutMs), token, this.#lease]
    args.push(loaded === undefined ? '0' : '1', loaded ?? '')
    const lock = { id, incarnation, kind: 'turn', token } as const
    const onLate = token === '' ? undefined : () => this.#letGo(lock)
    const called = this.#call(create, this.#keys.life(id), args, { ...this.#horizon(timeoutMs), onLate })
    const answer = new Answer(await (token === '' ? called : this.#lostLocks.watch(id, token, called)))
    const state = answer.number()
    if (state === 0) return { state: 'exists' }
    if (state === 3) throw shardFull(this.#options)
    this.#expect(id, timeoutMs)
    return {
      state: state === 1 ? 'created' : 'ended',
      life: this.#begun(id, incarnation, text, timeoutMs, answer),
    }
  }

  /**
   * Assigns the value of the live session, or creates one.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  async assign(id: string, text: string, timeoutMs: number): Promise<Assigned> {
    const incarnation = newName()
    const operation = newName()
    const args = [...this.#beginning(id, incarnation, text, timeoutMs), operation]
    const answer = new Answer(await this.#call(assign, this.#keys.life(id), args, this.#horizon(timeoutMs)))
    const state = answer.number()
    if (state === 0) return { state: 'busy' }
    if (state === 3) throw shardFull(this.#options)
    if (state === 4) {
      answer.number()
      this.#cache.set(id, { incarnation: answer.text(), version: operation, text })
      this.whenScheduled?.(this.#keys.shardOf(id), answer.number())
      return { state: 'assigned' }
    }
    this.#expect(id, timeoutMs)
    const life = this.#begun(id, incarnation, text, timeoutMs, answer)
    return { state: state === 1 ? 'created' : 'ended', life }
  }

  /**
   * Creates in any case, and gives the life that had to end for it.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  async replace(
    id: string,
    text: string,
    timeoutMs: number,
  ): Promise<{ readonly life: Life; readonly replaced: Life | undefined }> {
    const incarnation = newName()
    const operation = newName()
    const args = this.#beginning(id, incarnation, text, timeoutMs)
    const keys = this.#keys.life(id, operation)
    const answer = new Answer(await this.#call(replace, keys, args, this.#horizon(timeoutMs)))
    if (answer.number() === 3) throw shardFull(this.#options)
    this.#expect(id, timeoutMs)
    const life = this.#begun(id, incarnation, text, timeoutMs, answer)
    const replaced = answer.rest > 0 ? readPast(id, life.seenAt, answer) : undefined
    if (replaced !== undefined) this.#forget(id, operation)
    return { life, replaced }
  }

  async leave(
    lease: LeaveRef,
    changes: { readonly text: string | undefined; readonly timeoutMs: number | undefined },
    version: string,
  ): Promise<LeaveOutcome> {
    const { id, incarnation, kind, token } = lease
    const { text, timeoutMs } = changes
    const operation = newName()
    const args = [id, this.#retention, incarnation, token, kindCode[kind], operation]
    args.push(
      text === undefined ? '0' : '1',
      text ?? '',
      timeoutMs === undefined ? '' : durationText(timeoutMs),
    )
    args.push(version)
    const horizon = timeoutMs === undefined ? undefined : this.#horizon(timeoutMs)
    // While it is under way nobody else may use the token: the lock would be released under them.
    this.#lostLocks.forget(id, token)
    const called = this.#call(leave, this.#keys.session(id), args, horizon)
    const answer = new Answer(await (kind === 'turn' ? this.#lostLocks.watch(id, token, called) : called))
    const state = answer.number()
    if (state < 0) this.#cache.forget(lease)
    if (state <= 0) return state === 0 ? 'lost' : 'ended'
    // Where a later save has come before a repeat, it has another name, and this one is not believed.
    if (text !== undefined) this.#cache.set(id, { incarnation, version: operation, text })
    if (state === 1) this.whenScheduled?.(this.#keys.shardOf(id), answer.number())
    return 'done'
  }

  async renew({
    id,
    incarnation,
    kind,
    token,
  }: LeaseRef): Promise<'renewed' | 'interrupted' | 'lost' | 'ended'> {
    const args = [id, this.#retention, incarnation, token, kindCode[kind], this.#lease]
    const answer = new Answer(await this.#call(renew, this.#keys.session(id), args, { isBackground: true }))
    const state = answer.number()
    if (state !== 1) return state === 0 ? 'lost' : 'ended'
    return answer.number() === 1 ? 'interrupted' : 'renewed'
  }

  /** Stands in line for the lock no more. Where this fails, the place lapses soon. */
  async withdraw(id: string, token: string): Promise<void> {
    await this.#call(withdraw, this.#keys.session(id), [id, this.#retention, token], { isBackground: true })
  }

  async remove(id: string): Promise<RemovedLife[]> {
    const operation = newName()
    const answer = new Answer(await this.#call(remove, this.#keys.life(id, operation), [id, this.#retention]))
    const seenAt = answer.number()
    const removed: RemovedLife[] = []
    while (answer.rest > 0) {
      const state = removedState[answer.number() as keyof typeof removedState]
      removed.push({ state, life: readPast(id, seenAt, answer) })
    }
    this.#cache.delete(id)
    if (removed.length > 0) this.#forget(id, operation)
    return removed
  }

  /** A lock or a hold was taken, and its answer came too late for the caller. */
  #takenLate(
    id: string,
    takes: NonNullable<EnterOptions['takes']>,
    late: Answer,
    onLate: EnterOptions['onLate'],
  ): void {
    if (late.number() !== 1) return
    late.number()
    const incarnation = late.text()
    if (onLate === undefined) this.#letGo({ id, incarnation, ...takes })
    else onLate(incarnation)
  }

  #letGo(lease: LeaseRef): void {
    // The next try of this process may have the lock by now.
    if (lease.kind === 'turn' && !this.#lostLocks.forget(lease.id, lease.token)) return
    // Where this fails too, the lease runs out.
    this.leave(lease, { text: undefined, timeoutMs: undefined }, '').catch(() => {})
  }

  #expect(id: string, timeoutMs: number): void {
    const inMs = Math.min(timeoutMs + lagOf(timeoutMs), this.#options.maxAgeMs)
    this.whenScheduled?.(this.#keys.shardOf(id), inMs)
  }

  #beginning(id: string, incarnation: string, text: string, timeoutMs: number): string[] {
    const { maxAgeMs } = this.#options
    const times = [durationText(timeoutMs), durationText(maxAgeMs)]
    return [id, this.#retention, incarnation, text, ...times, this.#most]
  }

  #begun(id: string, incarnation: string, text: string, timeoutMs: number, answer: Answer): Life {
    const seenAt = answer.number()
    const createdAt = answer.rest > 0 ? answer.number() : seenAt
    const maxAgeAt = answer.rest > 0 ? answer.number() : -1
    const life = {
      id,
      incarnation,
      version: incarnation,
      createdAt,
      lastActiveAt: createdAt,
      timeoutMs,
      seenAt,
    }
    this.#cache.set(id, { incarnation, version: incarnation, text })
    return { ...life, maxAgeAt: maxAgeAt < 0 ? Number.POSITIVE_INFINITY : maxAgeAt, held: false, text }
  }

  /** Nobody waits for it, and its key goes by itself. */
  #forget(id: string, operation: string): void {
    const key = this.#keys.answer(this.#keys.shardOf(id), operation)
    this.#call(forget, [key], [], { isBackground: true }).catch(() => {})
  }

  #horizon(timeoutMs: number): CallOptions {
    return { horizonMs: longestStay(this.#options, timeoutMs) }
  }
}
