import type { ConstructionContext } from '../../core/async/construction-context.ts'
import { realClock } from '../../core/time/clock.ts'
import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import { loadWindowMs, type ResolvedRedisOptions } from '../options.ts'
import { claim, discard, extend } from '../scripts/claim.lua.ts'
import { hurryDeletion } from '../scripts/deletion.lua.ts'
import { newest } from '../scripts/newest.lua.ts'
import { capacityText, shardFullError } from '../storage/capacity.ts'
import { type IncarnationRef, type Keys, memberOf } from '../storage/keys.ts'
import { ownerText, readOwner } from '../storage/owner-text.ts'
import type { ServerDate } from '../storage/server-date.ts'
import { newToken } from '../storage/tokens.ts'
import { tombstoneArgs } from '../storage/tombstones.ts'
import type { Claim, ClaimLoadResult, ClaimOutcome, SettleResult } from './claim.ts'
import { ClaimBatches } from './claim-batches.ts'

export interface ClaimBatch {
  readonly claims: readonly Claim[]
  /** Epoch milliseconds of the server. */
  readonly now: number
  /** Milliseconds until something is due in this shard. */
  readonly nextDueMs: number
  /** Whether more may be due. */
  readonly mayHaveMore: boolean
  /** The number of removed members that were not incarnations of this shard. */
  readonly foreignCount: number
}

/**
 * A step towards the newest state of an id.
 *
 * `live`: there is a live session; with `inMs`, it was a dead letter and expires then. `waits`: an older
 * incarnation waits, or is being archived. `claimed`: this process has claimed it. `loadable`: the archived
 * state is the newest, under the name `loadToken`. `refused`: the newest state is a dead letter of another
 * owner than the caller's.
 */
export type NewestStep =
  | { readonly state: 'live'; readonly inMs: number | undefined }
  | { readonly state: 'waits' }
  | { readonly state: 'claimed'; readonly claim: Claim }
  | { readonly state: 'loadable'; readonly loadToken: string }
  | { readonly state: 'refused'; readonly sessionOwner: string | undefined }

/** A step towards the end of a deletion from the store. `failures`: attempts that have failed so far. */
export type DeletionStep =
  | { readonly state: 'done' }
  | { readonly state: 'waits'; readonly failures: number }
  | { readonly state: 'claimed'; readonly failures: number; readonly claim: Claim }

const background = { isBackground: true }

/** The longest pause between two attempts while a caller waits, in milliseconds. */
const maxWaitedBackoffMs = 200

/** The claims in Redis: leases of expired incarnations. */
export class ClaimStore<T> {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #date: ServerDate
  readonly #lease: string
  readonly #retention: string
  readonly #batches: ClaimBatches<T>
  readonly #options: ResolvedRedisOptions<T>

  constructor(
    call: CallScript,
    keys: Keys,
    date: ServerDate,
    context: ConstructionContext,
    options: ResolvedRedisOptions<T>,
  ) {
    const { leaseMs, retentionMs } = options
    this.#options = options
    this.#call = call
    this.#keys = keys
    this.#date = date
    this.#lease = String(leaseMs)
    this.#retention = String(retentionMs)
    this.#batches = new ClaimBatches(call, keys, context, options)
  }

  /** Claims what is due; with a `latest` in server time, what was due by then. */
  async claim(shard: number, limit: number, latest: number | 'now'): Promise<ClaimBatch> {
    const token = newToken()
    const keys = [
      this.#keys.deadlines(shard),
      ...this.#keys.queue(shard),
      this.#keys.dead(shard),
      this.#keys.operationReply(shard, token),
      this.#keys.tombstones(shard),
    ]
    const args = [String(limit), this.#lease, token, this.#retention, latest === 'now' ? '' : String(latest)]
    args.push(...tombstoneArgs(this.#options.tombstoneMs))
    const origin = { shard, token, claimedAt: realClock.now() }
    // A claim whose reply came too late is for other processes.
    const onLate = (late: ReplyReader) => {
      for (const one of this.#readClaims(late, origin).claims) this.#batches.releaseLate(one)
    }
    const reply = new ReplyReader(await this.#call(claim, keys, args, { ...background, onLate }))
    const { foreignMembers, ...claimed } = this.#readClaims(reply, origin)
    this.#date.observe(claimed.now)
    if (foreignMembers.length > 0) await this.#discardForeign(shard, foreignMembers)
    return { ...claimed, mayHaveMore: claimed.taken >= limit }
  }

  /**
   * Takes the next step to the newest state of an id. An older incarnation that waits is put first; with
   * `takes` it is claimed, unless a process archives it.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_FULL`
   */
  async newest(id: string, owner: string | undefined, takes: boolean): Promise<NewestStep> {
    const token = takes ? newToken() : ''
    const canArchive = this.#options.canArchive ? '1' : '0'
    const capacity = capacityText(this.#options.maxPerShard)
    const args = [id, this.#retention, token, this.#lease, String(maxWaitedBackoffMs), capacity, newToken()]
    args.push(String(loadWindowMs(this.#options)), canArchive, ownerText(owner))
    const origin = { id, shard: this.#keys.shardOf(id), token, claimedAt: realClock.now() }
    const onLate = (late: ReplyReader) => {
      if (late.readNumber() === 3) this.#batches.releaseLate(readClaim(late, origin))
    }
    const reply = new ReplyReader(await this.#call(newest, this.#keys.ofId(id), args, { onLate }))
    switch (reply.readNumber()) {
      case 0: {
        const loadToken = reply.readText()
        this.#date.observe(reply.readNumber())
        return { state: 'loadable', loadToken }
      }
      case 1:
        return { state: 'live', inMs: reply.remaining > 0 ? reply.readNumber() : undefined }
      case 2:
        return { state: 'waits' }
      case 3:
        return { state: 'claimed', claim: readClaim(reply, origin) }
      case 5:
        return { state: 'refused', sessionOwner: readOwner(reply.readText()) }
      default:
        throw shardFullError(this.#options)
    }
  }

  /**
   * Checks whether a deletion from the store is done. One that waits is put first; with `takes` it is
   * claimed, unless a process has it.
   */
  async hurryDeletion({ id, incarnation }: IncarnationRef, takes: boolean): Promise<DeletionStep> {
    const token = takes ? newToken() : ''
    const args = [id, this.#retention, incarnation, token, this.#lease, String(maxWaitedBackoffMs)]
    const shard = this.#keys.shardOf(id)
    const own = { id, incarnation, shard, token, isNew: false, claimedAt: realClock.now() }
    const onLate = (late: ReplyReader) => {
      if (late.readNumber() === 3) this.#batches.releaseLate(own)
    }
    const reply = new ReplyReader(await this.#call(hurryDeletion, this.#keys.ofId(id), args, { onLate }))
    const state = reply.readNumber()
    if (state === 0) return { state: 'done' }
    const failures = reply.readNumber()
    return state === 2 ? { state: 'waits', failures } : { state: 'claimed', failures, claim: own }
  }

  /** Begins the archive of a claim: reads and seals it, and counts the attempt. */
  load(claimed: Claim): Promise<ClaimLoadResult> {
    return this.#batches.load(claimed)
  }

  /** Settles a claim, if this process still has its lease. */
  settle(claimed: Claim, outcome: ClaimOutcome): Promise<SettleResult> {
    return this.#batches.settle(claimed, outcome)
  }

  /** Renews the leases of claims of one shard. Returns those that were lost. */
  async extend(shard: number, claims: readonly Claim[]): Promise<Claim[]> {
    const args = [this.#lease, this.#retention]
    for (const one of claims) args.push(memberOf(one), one.token)
    const reply = new ReplyReader(await this.#call(extend, this.#keys.queue(shard), args, background))
    return claims.filter(() => reply.readNumber() === 0)
  }

  #readClaims(reply: ReplyReader, origin: Pick<Claim, 'shard' | 'token' | 'claimedAt'>) {
    const now = reply.readNumber()
    const nextDueMs = reply.readNumber()
    const removed = reply.readNumber()
    const taken = reply.readNumber()
    const claims: Claim[] = []
    const foreignMembers: string[] = []
    while (reply.remaining > 0) {
      const member = reply.readText()
      const isNew = reply.readNumber() === 1
      const ref = this.#keys.incarnationIn(origin.shard, member)
      if (ref === undefined) foreignMembers.push(member)
      else claims.push({ ...ref, ...origin, isNew })
    }
    const foreignCount = removed + foreignMembers.length
    return {
      claims,
      foreignMembers,
      now,
      nextDueMs: nextDueMs < 0 ? Number.POSITIVE_INFINITY : nextDueMs,
      taken,
      foreignCount,
    }
  }

  async #discardForeign(shard: number, members: readonly string[]): Promise<void> {
    const keys = [this.#keys.deadlines(shard), ...this.#keys.queue(shard)]
    await this.#call(discard, keys, members, background)
  }
}

function readClaim(reply: ReplyReader, origin: Omit<Claim, 'incarnation' | 'isNew'>): Claim {
  return { ...origin, incarnation: reply.readText(), isNew: reply.readNumber() === 1 }
}
