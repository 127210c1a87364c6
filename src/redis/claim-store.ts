import { Answer } from './answer.ts'
import { type Keys, type LifeName, memberOf, nameOf } from './keys.ts'
import { type Life, readTimes } from './life.ts'
import { newName } from './names.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { claim, extend } from './scripts/claim.lua.ts'
import { load } from './scripts/load.lua.ts'
import { settle } from './scripts/settle.lua.ts'
import type { CallScript } from './shard-config.ts'

/** A life that is over, in the hands of this process for as long as its lease is renewed. */
export interface Claim extends LifeName {
  readonly shard: number
  readonly token: string
  /** Claims of this life so far, this one included. */
  readonly attempt: number
}

export interface Claimed {
  readonly claims: readonly Claim[]
  /** How long until something is due in this shard. */
  readonly nextMs: number
}

/** `taken`: the lease is another's. `waits`: an older life comes first, or it lives after all. `lost`: no data. */
export type Loaded =
  | { readonly state: 'loaded'; readonly life: Life }
  | { readonly state: 'taken' | 'waits' | 'lost' }

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

/** The queue of lives that are over. */
export class ClaimStore<T> {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #lease: string
  readonly #retention: string

  constructor(call: CallScript, keys: Keys, { leaseMs, retentionMs }: ResolvedRedisOptions<T>) {
    this.#call = call
    this.#keys = keys
    this.#lease = String(leaseMs)
    this.#retention = String(retentionMs)
  }

  async claim(shard: number, limit: number): Promise<Claimed> {
    const token = newName()
    const keys = [
      this.#keys.deadlines(shard),
      ...this.#keys.queue(shard),
      this.#keys.dead(shard),
      this.#keys.answer(shard, token),
    ]
    const args = [String(limit), this.#lease, token, this.#retention]
    // What was claimed when nobody waited for it any more is for others.
    const onLate = (late: Answer) => {
      for (const one of readClaims(late, shard, token).claims)
        this.settle(one, { kind: 'back' }).catch(() => {})
    }
    const answer = await this.#call(claim, keys, args, { ...background, onLate })
    return readClaims(new Answer(answer), shard, token)
  }

  async load({ id, incarnation, token }: Claim): Promise<Loaded> {
    const args = [id, this.#retention, incarnation, token]
    const answer = new Answer(await this.#call(load, this.#keys.life(id), args, background))
    const state = loadStates[answer.number()] ?? 'lost'
    if (state !== 'loaded') return { state }
    const seenAt = answer.number()
    const times = readTimes(answer)
    return { state, life: { id, incarnation, ...times, seenAt, held: false, text: answer.text() } }
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
}

function readClaims(answer: Answer, shard: number, token: string): Claimed {
  answer.number()
  const nextMs = answer.number()
  const claims: Claim[] = []
  while (answer.rest > 0) {
    claims.push({ ...nameOf(answer.text()), shard, token, attempt: answer.number() })
  }
  return { claims, nextMs: nextMs < 0 ? Number.POSITIVE_INFINITY : nextMs }
}
