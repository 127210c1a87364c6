import type { ConstructionContext } from '../../core/async/construction-context.ts'
import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { load } from '../scripts/load.lua.ts'
import { settle } from '../scripts/settle.lua.ts'
import type { Keys } from '../storage/keys.ts'
import { readState } from '../storage/session-snapshot.ts'
import { tombstoneArgs } from '../storage/tombstones.ts'
import { readStoredState } from '../storing/stored-state.ts'
import type { Claim, ClaimLoadResult, ClaimOutcome, SettleResult } from './claim.ts'
import { type Answer, again, alone, ShardBatches } from './shard-batches.ts'

/**
 * The length of the values from which on a call begins no more archives, in bytes: it bounds how long the
 * server and this process are busy with one reply.
 */
const maxLength = 1 << 20

const background = { isBackground: true }
const loadStates = ['taken', 'loaded', 'waits', 'waits', 'lost'] as const
const settledStates = ['lost', 'settled', 'next', 'deleted'] as const

/** The states of `each-claim.lua.ts`. */
const unanswered = new Map<number, typeof alone | typeof again>([
  [8, alone],
  [9, again],
])

interface Settlement {
  readonly claim: Claim
  readonly outcome: ClaimOutcome
}

/** The beginning and the settlement of archives: claims of one shard share a call. */
export class ClaimBatches<T> {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #loadArgs: readonly string[]
  readonly #options: ResolvedRedisOptions<T>
  readonly #loads: ShardBatches<Claim, ClaimLoadResult>
  readonly #settlements: ShardBatches<Settlement, SettleResult>

  constructor(call: CallScript, keys: Keys, context: ConstructionContext, options: ResolvedRedisOptions<T>) {
    const { canArchive, archiveAttempts, retentionMs } = options
    this.#call = call
    this.#keys = keys
    this.#options = options
    const maxAttempts = canArchive ? archiveAttempts : Number.MAX_SAFE_INTEGER
    this.#loadArgs = ['', String(retentionMs), String(maxAttempts), String(maxLength)]
    this.#loads = new ShardBatches(context, (shard, claims) => this.#load(shard, claims))
    this.#settlements = new ShardBatches(context, (shard, settlements) => this.#settle(shard, settlements))
  }

  /** {@link ClaimStore.load}. */
  load(claim: Claim): Promise<ClaimLoadResult> {
    return this.#loads.ask(claim.shard, claim)
  }

  /** {@link ClaimStore.settle}. */
  settle(claim: Claim, outcome: ClaimOutcome): Promise<SettleResult> {
    return this.#settlements.ask(claim.shard, { claim, outcome })
  }

  /** Releases a claim whose reply came too late. If this fails too, the lease lapses. */
  releaseLate(claim: Claim): void {
    this.settle(claim, { kind: 'release' }).catch(() => {})
  }

  async #load(shard: number, claims: readonly Claim[]): Promise<Answer<ClaimLoadResult>[]> {
    const args = [...this.#loadArgs]
    for (const { id, incarnation, token } of claims) args.push(id, incarnation, token)
    // The attempts were counted, but the hook was not called.
    const onLate = () => {
      for (const one of claims) this.releaseLate(one)
    }
    const keys = this.#keys.ofClaims(shard, claims)
    const reply = new ReplyReader(await this.#call(load, keys, args, { ...background, onLate }))
    try {
      return claims.map((one) => readLoaded(one, reply))
    } catch (error) {
      // Another program may have damaged one of them.
      if (claims.length === 1) throw error
      return claims.map(() => alone)
    }
  }

  async #settle(shard: number, settlements: readonly Settlement[]): Promise<Answer<SettleResult>[]> {
    const { retentionMs, tombstoneMs } = this.#options
    const args = ['', String(retentionMs)]
    for (const { claim, outcome } of settlements) {
      const backoffMs = outcome.kind === 'retry' ? String(Math.round(outcome.pauseMs)) : '0'
      const reason = outcome.kind === 'deadLetter' ? outcome.reason : ''
      args.push(claim.id, claim.incarnation, claim.token, outcome.kind, backoffMs, reason)
    }
    args.push(...tombstoneArgs(tombstoneMs))
    const claims = settlements.map(({ claim }) => claim)
    const keys = this.#keys.ofClaims(shard, claims, this.#keys.tombstones(shard))
    const reply = new ReplyReader(await this.#call(settle, keys, args, background))
    return settlements.map(() => {
      const state = reply.readNumber()
      return unanswered.get(state) ?? settledStates[state] ?? 'lost'
    })
  }
}

function readLoaded({ id, incarnation }: Claim, reply: ReplyReader): Answer<ClaimLoadResult> {
  const code = reply.readNumber()
  const state = loadStates[code]
  if (state !== 'loaded') return unanswered.get(code) ?? { state: state ?? 'lost' }
  const seenAt = reply.readNumber()
  const attempt = reply.readNumber()
  const isSuperseded = reply.readNumber() === 1
  const sessionState = readState(reply)
  const snapshot = { id, incarnation, ...sessionState, seenAt, held: false, text: reply.readText() }
  const storedState = readStoredState(reply.readText())
  const isDeletion = reply.readNumber() === 1
  return { state, snapshot, attempt, isSuperseded, storedState, isDeletion }
}
