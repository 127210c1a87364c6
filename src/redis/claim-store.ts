import { realClock } from '../core/time/clock.ts'
import { Answer } from './answer.ts'
import { limitText, shardFull } from './capacity.ts'
import { type Keys, type LifeName, memberOf } from './keys.ts'
import { type Life, readTimes } from './life.ts'
import { newName } from './names.ts'
import { loadWindowMs, type ResolvedRedisOptions } from './options.ts'
import { claim, discard, extend } from './scripts/claim.lua.ts'
import { load } from './scripts/load.lua.ts'
import { newest } from './scripts/newest.lua.ts'
import { settle } from './scripts/settle.lua.ts'
import type { CallScript } from './shard-config.ts'

/** A life that is over, in the hands of this process for as long as its lease is renewed. */
export interface Claim extends LifeName {
  readonly shard: number
  readonly token: string
  /** Whether it was never claimed before. */
  readonly isNew: boolean
  /** Monotonic time before which its lease has not begun. */
  readonly claimedAt: number
}

export interface Claimed {
  readonly claims: readonly Claim[]
  /** Epoch ms of the server. */
  readonly now: number
  /** How long until something is due in this shard. */
  readonly nextMs: number
  /** Whether there may be more that is due. */
  readonly isFull: boolean
  /** Entries that were no lives of this shard, and are removed. */
  readonly foreign: number
}

/** `taken`: the lease is another's. `waits`: an older life comes first, or it lives after all. `lost`: no data. */
export type Loaded =
  | {
      readonly state: 'loaded'
      readonly life: Life
      /** Archives of this life that began, this one included. */
      readonly attempt: number
      /** A younger life of the id was archived before it, or the id was deleted. */
      readonly isOvertaken: boolean
    }
  | { readonly state: 'taken' | 'waits' | 'lost' }

/**
 * The next step to the newest state of an id.
 *
 * `live`: there is a live session; `inMs`: it was taken back to life, and will be over then. `waits`: an older life waits, or is
 * being archived. `claimed`: this process has claimed it now. `loadable`: what can be loaded is the newest state, named `loaded`.
 */
export type NewestState =
  | { readonly state: 'live'; readonly inMs: number | undefined }
  | { readonly state: 'waits' }
  | { readonly state: 'claimed'; readonly claim: Claim }
  | { readonly state: 'loadable'; readonly loaded: string }

export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'back' }
  | { readonly kind: 'again'; readonly pauseMs: number }
  | { readonly kind: 'dead'; readonly reason: string }

/** `next`: settled, and a younger life of the id is ready to be claimed. */
export type Settled = 'lost' | 'settled' | 'next'

const settledStates = ['lost', 'settled', 'next'] as const
const background = { isBackground: true }
const loadStates = ['taken', 'loaded', 'waits', 'waits', 'lost'] as const

/** The longest pause between two tries while a caller waits. */
const longestWaitedPauseMs = 200

/** The queue of lives that are over. */
export class ClaimStore<T> {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #lease: string
  readonly #retention: string
  readonly #attempts: string
  readonly #options: ResolvedRedisOptions<T>

  constructor(call: CallScript, keys: Keys, options: ResolvedRedisOptions<T>) {
    const { leaseMs, retentionMs, archive, archiveAttempts } = options
    this.#options = options
    this.#call = call
    this.#keys = keys
    this.#lease = String(leaseMs)
    this.#retention = String(retentionMs)
    this.#attempts = String(archive === undefined ? Number.MAX_SAFE_INTEGER : archiveAttempts)
  }

  /** Claims what is due; with a `latest`, what was due by then, in the server's time. */
  async claim(shard: number, limit: number, latest: number | 'now'): Promise<Claimed> {
    const token = newName()
    const keys = [
      this.#keys.deadlines(shard),
      ...this.#keys.queue(shard),
      this.#keys.dead(shard),
      this.#keys.answer(shard, token),
    ]
    const args = [String(limit), this.#lease, token, this.#retention, latest === 'now' ? '' : String(latest)]
    const of = { shard, token, claimedAt: realClock.now() }
    // What was claimed after the call had been given up is for others.
    const onLate = (late: Answer) => {
      for (const one of this.#readClaims(late, of).claims) this.#giveBack(one)
    }
    const answer = new Answer(await this.#call(claim, keys, args, { ...background, onLate }))
    const { strangers, ...claimed } = this.#readClaims(answer, of)
    if (strangers.length > 0) await this.#discard(shard, strangers)
    return { ...claimed, isFull: claimed.taken >= limit }
  }

  /**
   * Takes the next step to the newest state of an id that is to be loaded. An older life that waits is put first; with
   * `takes`, it is claimed where no process has begun to archive it.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  async newest(id: string, takes: boolean): Promise<NewestState> {
    const token = takes ? newName() : ''
    const isFirst = this.#options.archive === undefined ? '0' : '1'
    const most = limitText(this.#options.maxPerShard)
    const args = [id, this.#retention, token, this.#lease, String(longestWaitedPauseMs), most, newName()]
    args.push(String(loadWindowMs(this.#options)), isFirst)
    const of = { id, shard: this.#keys.shardOf(id), token, claimedAt: realClock.now() }
    const onLate = (late: Answer) => {
      if (late.number() === 3) this.#giveBack(readTaken(late, of))
    }
    const answer = new Answer(await this.#call(newest, this.#keys.life(id), args, { onLate }))
    switch (answer.number()) {
      case 0:
        return { state: 'loadable', loaded: answer.text() }
      case 1:
        return { state: 'live', inMs: answer.rest > 0 ? answer.number() : undefined }
      case 2:
        return { state: 'waits' }
      case 3:
        return { state: 'claimed', claim: readTaken(answer, of) }
      default:
        throw shardFull(this.#options)
    }
  }

  /** Begins to archive a life that was claimed: the attempt is counted. */
  async load(claimed: Claim): Promise<Loaded> {
    const { id, incarnation, token } = claimed
    const args = [id, this.#retention, incarnation, token, this.#attempts]
    // It was counted, and the hook was not called.
    const onLate = () => this.#giveBack(claimed)
    const answer = new Answer(await this.#call(load, this.#keys.life(id), args, { ...background, onLate }))
    const state = loadStates[answer.number()] ?? 'lost'
    if (state !== 'loaded') return { state }
    const seenAt = answer.number()
    const attempt = answer.number()
    const isOvertaken = answer.number() === 1
    const times = readTimes(answer)
    const life = { id, incarnation, ...times, seenAt, held: false, text: answer.text() }
    return { state, life, attempt, isOvertaken }
  }

  /** Settles the claim if it is still ours. */
  async settle({ id, incarnation, token }: Claim, outcome: Outcome): Promise<Settled> {
    const pauseMs = outcome.kind === 'again' ? String(Math.round(outcome.pauseMs)) : '0'
    const reason = outcome.kind === 'dead' ? outcome.reason : ''
    const args = [id, this.#retention, incarnation, token, outcome.kind, pauseMs, reason]
    const answer = new Answer(await this.#call(settle, this.#keys.life(id), args, background))
    return settledStates[answer.number()] ?? 'lost'
  }

  /** Renews the leases of claims of one shard, and gives those that were lost. */
  async extend(shard: number, claims: readonly Claim[]): Promise<Claim[]> {
    const args = [this.#lease, this.#retention]
    for (const one of claims) args.push(memberOf(one), one.token)
    const answer = new Answer(await this.#call(extend, this.#keys.queue(shard), args, background))
    return claims.filter(() => answer.number() === 0)
  }

  #giveBack(one: Claim): void {
    // Where this fails too, the lease runs out.
    this.settle(one, { kind: 'back' }).catch(() => {})
  }

  #readClaims(answer: Answer, of: Pick<Claim, 'shard' | 'token' | 'claimedAt'>) {
    const now = answer.number()
    const nextMs = answer.number()
    const removed = answer.number()
    const taken = answer.number()
    const claims: Claim[] = []
    const strangers: string[] = []
    while (answer.rest > 0) {
      const member = answer.text()
      const isNew = answer.number() === 1
      const name = this.#keys.lifeIn(of.shard, member)
      if (name === undefined) strangers.push(member)
      else claims.push({ ...name, ...of, isNew })
    }
    const foreign = removed + strangers.length
    return { claims, strangers, now, nextMs: nextMs < 0 ? Number.POSITIVE_INFINITY : nextMs, taken, foreign }
  }

  async #discard(shard: number, members: readonly string[]): Promise<void> {
    const keys = [this.#keys.deadlines(shard), ...this.#keys.queue(shard)]
    await this.#call(discard, keys, members, background)
  }
}

function readTaken(answer: Answer, of: Omit<Claim, 'incarnation' | 'isNew'>): Claim {
  return { ...of, incarnation: answer.text(), isNew: answer.number() === 1 }
}
