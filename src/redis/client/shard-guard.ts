import { isSessionRegistryError, SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type Clock, realClock } from '../../core/time/clock.ts'
import { probe, readShards, storeShards } from '../scripts/shards.lua.ts'
import type { Keys } from '../storage/keys.ts'
import { unsupportedClientError } from './failure.ts'
import { ReplyReader } from './reply-reader.ts'
import type { RetryingCaller } from './retrying-caller.ts'
import type { Script } from './script.ts'

export interface CallOptions {
  /** How long what it writes may stay, where that is longer than usual. */
  readonly maxLifetimeMs?: number | undefined
  /** Nobody waits for it. */
  readonly isBackground?: boolean
  /** Undoes what was carried out though the call had been given up when the answer came. */
  readonly onLate?: ((answer: ReplyReader) => void) | undefined
}

/** Calls a script, once it is sure that the data are divided alike. */
export type CallScript = (
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  options?: CallOptions,
) => Promise<unknown>

/**
 * The note of the shards lives longer than any data: those live for the horizon from the last write, and an
 * eighth more. It is renewed when an eighth of the horizon has passed.
 */
const renewShare = 1 / 8
const ttlFactor = 1 + 2 * renewShare + 1 / 8

/**
 * How old the check of the note may be before it is repeated beside the calls: `FLUSHALL` removes the note as
 * well, and then a process with another number of shards may begin. Soon where the process looks at deadlines
 * anyway.
 */
const recheckMs = 60_000
const backgroundRecheckMs = 5_000

/** A PX that Redis takes, some 300 years. */
const maxTtlMs = 1e13

/**
 * Sees to it that all processes divide the sessions alike: a process with another number of shards would not
 * find them.
 *
 * It asks before the first call, and then beside the calls, every 5 s where the process looks at deadlines,
 * else every minute. Calls wait for the answer again when the note has to live longer, with the default
 * options after 21 hours without a call.
 */
export class ShardGuard {
  readonly #caller: RetryingCaller
  readonly #keys: Keys
  readonly #onEvictionPolicy: (policy: string) => void
  readonly #clock: Clock
  #maxLifetimeMs: number
  #isChecked = false
  /**
   * The check under way. It is not kept afterwards: a promise keeps the async context in which it was made.
   */
  #pendingCheck: Promise<void> | undefined
  #checkedAt = 0

  constructor(
    caller: RetryingCaller,
    keys: Keys,
    maxLifetimeMs: number,
    onEvictionPolicy: (policy: string) => void,
    clock: Clock = realClock,
  ) {
    this.#caller = caller
    this.#keys = keys
    this.#maxLifetimeMs = maxLifetimeMs
    this.#onEvictionPolicy = onEvictionPolicy
    this.#clock = clock
  }

  readonly call: CallScript = async (script, keys, args, options = {}) => {
    const keepsAlive = options.isBackground !== true
    const { onLate } = options
    // The check is a part of the call, whose time it takes.
    const startedAt = this.#clock.now()
    await this.#check(options.maxLifetimeMs ?? 0, keepsAlive)
    return this.#caller.call(script, keys, args, {
      keepsAlive,
      startedAt,
      onLate: onLate && ((answer) => onLate(new ReplyReader(answer))),
    })
  }

  #check(maxLifetimeMs: number, keepsAlive: boolean): Promise<void> | undefined {
    const isLonger = maxLifetimeMs > this.#maxLifetimeMs
    if (isLonger) this.#maxLifetimeMs = maxLifetimeMs
    const ageMs = this.#clock.now() - this.#checkedAt
    const isStale = ageMs > this.#maxLifetimeMs * renewShare
    if (isLonger || isStale || (!this.#isChecked && this.#pendingCheck === undefined)) {
      this.#isChecked = false
      const check = this.#readShards(keepsAlive)
      this.#pendingCheck = check
      const onSettled = (isChecked: boolean) => {
        // Where it failed, the next call asks again.
        if (this.#pendingCheck !== check) return
        this.#pendingCheck = undefined
        this.#isChecked = isChecked
      }
      check.then(
        () => onSettled(true),
        () => onSettled(false),
      )
    } else if (this.#isChecked && ageMs > (keepsAlive ? recheckMs : backgroundRecheckMs)) {
      // Beside the calls, which say themselves where Redis does not answer.
      this.#readShards(false).catch((error) => {
        if (isSessionRegistryError(error, 'ERR_SESSION_SHARDS_MISMATCH')) this.#isChecked = false
      })
    }
    return this.#pendingCheck
  }

  async #readShards(keepsAlive: boolean): Promise<void> {
    this.#checkedAt = this.#clock.now()
    const { shards, config: key } = this.#keys
    const ttlMs = Math.ceil(Math.min(this.#maxLifetimeMs * ttlFactor, maxTtlMs))
    const options = { keepsAlive, startedAt: this.#clock.now() }
    const answer = new ReplyReader(await this.#caller.call(readShards, [key], [], options))
    let stored = answer.readNumber()
    const outlivesData = answer.readNumber() >= (ttlMs * (ttlFactor - renewShare)) / ttlFactor
    const policy = answer.readText()
    if (answer.readText() !== probe) throw unsupportedClientError()
    if (stored === 0 || (stored === shards && !outlivesData)) {
      const args = [String(shards), String(ttlMs)]
      stored = new ReplyReader(await this.#caller.call(storeShards, [key], args, options)).readNumber()
    }
    if (stored !== shards) {
      throw new SessionRegistryError(
        'ERR_SESSION_SHARDS_MISMATCH',
        `Expected \`shards\` to be ${stored}, with which the data of this prefix were stored, got ${shards}`,
      )
    }
    this.#onEvictionPolicy(policy)
  }
}
