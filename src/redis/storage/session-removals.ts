import { realClock } from '../../core/time/clock.ts'
import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { forget, remove } from '../scripts/remove.lua.ts'
import type { Keys } from './keys.ts'
import type { NearCache } from './near-cache.ts'
import { readEnded, type SessionSnapshot } from './session-snapshot.ts'
import { newToken } from './tokens.ts'
import { tombstoneArgs } from './tombstones.ts'

/** An incarnation that a call ended, and its state before. */
export interface RemovedSession {
  readonly snapshot: SessionSnapshot
  readonly state: 'live' | 'archiving' | 'expired'
}

/** The deletion of an id from the store, which waits in the backlog of the id. */
export interface PendingDeletion {
  readonly incarnation: string
  /** The claim of this process, if it has one: `claimedAt` is a monotonic time before the lease began. */
  readonly claim: { readonly token: string; readonly claimedAt: number } | undefined
}

export interface Removal {
  readonly removed: readonly RemovedSession[]
  /** `undefined` without a store. */
  readonly deletion: PendingDeletion | undefined
}

const removedState = { 0: 'expired', 1: 'live', 2: 'archiving' } as const

/** Removals of sessions from Redis, which a store may have to follow. */
export class SessionRemovals<T> {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #cache: NearCache
  readonly #options: ResolvedRedisOptions<T>

  constructor(call: CallScript, keys: Keys, cache: NearCache, options: ResolvedRedisOptions<T>) {
    this.#call = call
    this.#keys = keys
    this.#cache = cache
    this.#options = options
  }

  /**
   * Ends every incarnation of an id except dead letters, and puts its deletion from the store into the
   * backlog. `takes`: whether that is claimed. `onLate` is called with a deletion whose reply came too late.
   */
  async remove(id: string, takes: boolean, onLate: (deletion: PendingDeletion) => void): Promise<Removal> {
    const { retentionMs, leaseMs, storage, canArchive, tombstoneMs } = this.#options
    const operation = newToken()
    const token = takes ? newToken() : ''
    const args = [id, String(retentionMs), storage === undefined ? '' : newToken(), token, String(leaseMs)]
    args.push(canArchive ? '1' : '0', ...tombstoneArgs(tombstoneMs))
    const ownClaim = { token, claimedAt: realClock.now() }
    const onLateReply = (late: ReplyReader) => {
      late.readNumber()
      const deletion = readDeletion(late, ownClaim)
      if (deletion !== undefined) onLate(deletion)
    }
    const keys = [...this.#keys.ofId(id, operation), this.#keys.tombstones(this.#keys.shardOf(id))]
    const reply = new ReplyReader(await this.#call(remove, keys, args, { onLate: onLateReply }))
    const seenAt = reply.readNumber()
    const deletion = readDeletion(reply, ownClaim)
    const removed: RemovedSession[] = []
    while (reply.remaining > 0) {
      const state = removedState[reply.readNumber() as keyof typeof removedState]
      removed.push({ state, snapshot: readEnded(id, seenAt, reply) })
    }
    this.#cache.delete(id)
    if (removed.length > 0 || deletion !== undefined) forgetReply(this.#call, this.#keys, id, operation)
    return { removed, deletion }
  }
}

function readDeletion(
  reply: ReplyReader,
  ownClaim: NonNullable<PendingDeletion['claim']>,
): PendingDeletion | undefined {
  const incarnation = reply.readText()
  const isClaimed = reply.readNumber() === 1
  return incarnation === '' ? undefined : { incarnation, claim: isClaimed ? ownClaim : undefined }
}

/** Deletes a reply that has arrived. Not awaited, since its key expires anyway. */
export function forgetReply(call: CallScript, keys: Keys, id: string, operation: string): void {
  const key = keys.operationReply(keys.shardOf(id), operation)
  call(forget, [key], [], { isBackground: true }).catch(() => {})
}
