import { isSessionRegistryError, SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type Clock, realClock } from '../../core/time/clock.ts'
import { probe, readShards, storeShards } from '../scripts/shards.lua.ts'
import type { Keys } from '../storage/keys.ts'
import { unsupportedClientError } from './failure.ts'
import { ReplyReader } from './reply-reader.ts'
import type { RetryingCaller } from './retrying-caller.ts'
import type { Script } from './script.ts'

export interface CallOptions {
  /** How long the data that it writes may live, where that is longer than usual. Milliseconds. */
  readonly maxLifetimeMs?: number | undefined
  /** Whether no caller waits for it: then it does not keep the process alive. */
  readonly isBackground?: boolean
  /** Called with a result that arrived after the call was rejected, to undo what the script did. */
  readonly onLate?: ((reply: ReplyReader) => void) | undefined
}

/** Calls a script, after the check that all processes divide the sessions into the same shards. */
export type CallScript = (
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  options?: CallOptions,
) => Promise<unknown>

/**
 * The shard-count key outlives all data, which expire 1.125 × `maxLifetimeMs` after the last write. Its TTL
 * is renewed once this share of `maxLifetimeMs` has passed.
 */
const renewShare = 1 / 8
const ttlFactor = 1 + 2 * renewShare + 1 / 8

/**
 * The ages at which the check is repeated beside the calls, in milliseconds: `FLUSHALL` removes the shard
 * count too, and a process with another one may start then. A process that polls checks more often.
 */
const recheckMs = 60_000
const backgroundRecheckMs = 5_000

/** The longest TTL that Redis takes, in milliseconds. */
const maxTtlMs = 1e13

/**
 * A check that all processes divide the sessions into the same number of shards: with another number, a
 * process would not find them.
 *
 * It runs before the first call, and then beside the calls. Calls wait for it again only when the TTL of the
 * shard count has to be lengthened.
 */
export class ShardGuard {
  readonly #caller: RetryingCaller
  readonly #keys: Keys
  readonly #onEvictionPolicy: (policy: string) => void
  readonly #clock: Clock
  #maxLifetimeMs: number
  #isChecked = false
  /**
   * The check under way. It is not kept afterwards, because a promise keeps the async context in which it was
   * created.
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

  readonly call: CallScript = (script, keys, args, options = {}) => {
    const keepsAlive = options.isBackground !== true
    const { onLate } = options
    const callOptions = {
      keepsAlive,
      // The check counts towards the timeout of the call.
      startedAt: this.#clock.now(),
      onLate: onLate && ((result: unknown) => onLate(new ReplyReader(result))),
    }
    const check = this.#check(options.maxLifetimeMs ?? 0, keepsAlive)
    const call = () => this.#caller.call(script, keys, args, callOptions)
    return check === undefined ? call() : check.then(call)
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
        // After a failure, the next call checks again.
        if (this.#pendingCheck !== check) return
        this.#pendingCheck = undefined
        this.#isChecked = isChecked
      }
      check.then(
        () => onSettled(true),
        () => onSettled(false),
      )
    } else if (this.#isChecked && ageMs > (keepsAlive ? recheckMs : backgroundRecheckMs)) {
      // A failure is not reported here: the calls themselves reject where Redis does not reply.
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
    const reply = new ReplyReader(await this.#caller.call(readShards, [key], [], options))
    let stored = reply.readNumber()
    const outlivesData = reply.readNumber() >= (ttlMs * (ttlFactor - renewShare)) / ttlFactor
    const policy = reply.readText()
    if (reply.readText() !== probe) throw unsupportedClientError()
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
