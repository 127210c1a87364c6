import { isSessionRegistryError, SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { type Clock, realClock } from '../core/time/clock.ts'
import { Answer } from './answer.ts'
import type { Backend } from './backend.ts'
import { unfitClient } from './failure.ts'
import type { Keys } from './keys.ts'
import type { Script } from './script.ts'
import { config, note, probe } from './scripts/config.lua.ts'

export interface CallOptions {
  /** How long what it writes may stay, where that is longer than usual. */
  readonly horizonMs?: number | undefined
  /** Nobody waits for it. */
  readonly isBackground?: boolean
  /** Undoes what was carried out though the call had been given up when the answer came. */
  readonly onLate?: ((answer: Answer) => void) | undefined
}

/** Calls a script, once it is sure that the data are divided alike. */
export type CallScript = (
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  options?: CallOptions,
) => Promise<unknown>

/**
 * The note of the shards lives longer than any data: those live for the horizon from the last write, and an eighth more.
 * It is renewed when an eighth of the horizon has passed.
 */
const renewAfter = 1 / 8
const noteFor = 1 + 2 * renewAfter + 1 / 8

/**
 * How old the check of the note may be before it is repeated beside the calls: `FLUSHALL` removes the note as well, and then
 * a process with another number of shards may begin. Soon where the process looks at deadlines anyway.
 */
const recheckMs = 60_000
const backgroundRecheckMs = 5_000

/** A PX that Redis takes, some 300 years. */
const longestMs = 1e13

/**
 * Sees to it that all processes divide the sessions alike: a process with another number of shards would not find them.
 *
 * It asks before the first call, and then beside the calls, every 5 s where the process looks at deadlines, else every
 * minute. Calls wait for the answer again when the note has to live longer, with the default options after 21 hours without
 * a call.
 */
export class ShardConfig {
  readonly #backend: Backend
  readonly #keys: Keys
  readonly #warnOf: (policy: string) => void
  readonly #clock: Clock
  #horizonMs: number
  #isChecked = false
  /** The check under way. It is not kept afterwards: a promise keeps the async context in which it was made. */
  #checking: Promise<void> | undefined
  #checkedAt = 0

  constructor(
    backend: Backend,
    keys: Keys,
    horizonMs: number,
    warnOf: (policy: string) => void,
    clock: Clock = realClock,
  ) {
    this.#backend = backend
    this.#keys = keys
    this.#horizonMs = horizonMs
    this.#warnOf = warnOf
    this.#clock = clock
  }

  readonly call: CallScript = async (script, keys, args, options = {}) => {
    const keepsAlive = options.isBackground !== true
    const { onLate } = options
    // The check is a part of the call, whose time it takes.
    const startedAt = this.#clock.now()
    await this.#check(options.horizonMs ?? 0, keepsAlive)
    return this.#backend.call(script, keys, args, {
      keepsAlive,
      startedAt,
      onLate: onLate && ((answer) => onLate(new Answer(answer))),
    })
  }

  #check(horizonMs: number, keepsAlive: boolean): Promise<void> | undefined {
    const isLonger = horizonMs > this.#horizonMs
    if (isLonger) this.#horizonMs = horizonMs
    const ageMs = this.#clock.now() - this.#checkedAt
    const isOld = ageMs > this.#horizonMs * renewAfter
    if (isLonger || isOld || (!this.#isChecked && this.#checking === undefined)) {
      this.#isChecked = false
      const checking = this.#ask(keepsAlive)
      this.#checking = checking
      const settled = (isChecked: boolean) => {
        // Where it failed, the next call asks again.
        if (this.#checking !== checking) return
        this.#checking = undefined
        this.#isChecked = isChecked
      }
      checking.then(
        () => settled(true),
        () => settled(false),
      )
    } else if (this.#isChecked && ageMs > (keepsAlive ? recheckMs : backgroundRecheckMs)) {
      // Beside the calls, which say themselves where Redis does not answer.
      this.#ask(false).catch((error) => {
        if (isSessionRegistryError(error, 'ERR_SESSION_SHARDS_MISMATCH')) this.#isChecked = false
      })
    }
    return this.#checking
  }

  async #ask(keepsAlive: boolean): Promise<void> {
    this.#checkedAt = this.#clock.now()
    const { shards, config: key } = this.#keys
    const ttlMs = Math.ceil(Math.min(this.#horizonMs * noteFor, longestMs))
    const options = { keepsAlive, startedAt: this.#clock.now() }
    const answer = new Answer(await this.#backend.call(config, [key], [], options))
    let stored = answer.number()
    const livesLongEnough = answer.number() >= (ttlMs * (noteFor - renewAfter)) / noteFor
    const policy = answer.text()
    if (answer.text() !== probe) throw unfitClient()
    if (stored === 0 || (stored === shards && !livesLongEnough)) {
      const args = [String(shards), String(ttlMs)]
      stored = new Answer(await this.#backend.call(note, [key], args, options)).number()
    }
    if (stored !== shards) {
      throw new SessionRegistryError(
        'ERR_SESSION_SHARDS_MISMATCH',
        `Expected \`shards\` to be ${stored}, with which the data of this prefix were stored, got ${shards}`,
      )
    }
    this.#warnOf(policy)
  }
}
