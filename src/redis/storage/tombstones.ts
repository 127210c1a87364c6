import type { EndReason } from '../../core/end-reason.ts'
import type { GoneSession } from '../../core/gone-session.ts'
import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { whyGone } from '../scripts/why-gone.lua.ts'
import type { Keys } from './keys.ts'
import { ownerText } from './owner-text.ts'
import { newToken } from './tokens.ts'

/** The reasons by their codes in `tombstones.lua.ts`. */
const reasons: readonly EndReason[] = ['idle', 'age', 'deleted']

/** `NEVER` of the scripts. */
const never = 8_640_000_000_000_000

/**
 * How long an infinite `tombstoneMs` is after the last end in a shard, in milliseconds; `YEAR` of the
 * scripts.
 */
const yearMs = 31_536_000_000

/** Returns the arguments of a script that keeps or drops tombstones. */
export function tombstoneArgs(tombstoneMs: number): [tombstoneMs: string, newHashKey: string] {
  return [String(Math.min(tombstoneMs, never)), tombstoneMs > 0 ? newToken() : '']
}

/** Returns how long the tombstones of a shard exist after the last end in it, in milliseconds. */
export function tombstoneLifetimeMs({ tombstoneMs }: { readonly tombstoneMs: number }): number {
  return tombstoneMs < never ? tombstoneMs : yearMs
}

/** Why and when sessions ended, of all processes: what `whyGone` tells. */
export class Tombstones<T> {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #options: ResolvedRedisOptions<T>

  constructor(call: CallScript, keys: Keys, options: ResolvedRedisOptions<T>) {
    this.#call = call
    this.#keys = keys
    this.#options = options
  }

  /**
   * Returns the end of the last session of an id, if it is gone and that is kept; with `owner`, if it
   * belonged to that owner.
   */
  async find(id: string, owner: string | undefined): Promise<GoneSession | undefined> {
    const { tombstoneMs, retentionMs, canArchive, canLoad, archives } = this.#options
    if (tombstoneMs === 0) return undefined
    // An observer beside processes that archive is usual, one beside processes that do not is not.
    const isArchived = canArchive || !archives
    const keys = [...this.#keys.ofId(id), this.#keys.tombstones(this.#keys.shardOf(id))]
    const args = [id, String(retentionMs), isArchived ? '1' : '0', canLoad ? '1' : '0', ownerText(owner)]
    args.push(...tombstoneArgs(tombstoneMs))
    const reply = new ReplyReader(await this.#call(whyGone, keys, args))
    const reason = reasons[reply.readNumber()]
    return reason === undefined ? undefined : { reason, endedAt: reply.readNumber() }
  }
}
