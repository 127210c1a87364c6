import type { EventQueue } from '../../core/events/event-queue.ts'
import { logLines } from '../../core/events/log-lines.ts'
import { realClock } from '../../core/time/clock.ts'
import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { readHeartbeat, writeHeartbeat } from '../scripts/heartbeat.lua.ts'
import type { Keys } from '../storage/keys.ts'
import { warn } from '../warning.ts'

/** How long the heartbeat lasts after its last write, in milliseconds. */
const lifetimeMs = 24 * 3_600_000

/**
 * How often it is written, in milliseconds: if it is lost, it is back before a session of the usual timeout
 * expires.
 */
const renewalMs = 60_000

/** The pause before it is written again after a failure, in milliseconds. */
const retryMs = 1_000

const background = { isBackground: true }

/**
 * The heartbeat of a prefix: a key that is present while some process archives. It decides what this process
 * may claim.
 *
 * A process without `archive` and `store` would end what it claims unarchived. So it checks for the heartbeat
 * first, and claims nothing while it is there.
 */
export class ArchiverHeartbeat<T> {
  readonly #call: CallScript
  readonly #key: string
  readonly #events: EventQueue
  readonly #options: ResolvedRedisOptions<T>
  #renewAt = Number.NEGATIVE_INFINITY
  #hasWarned = false

  constructor(call: CallScript, keys: Keys, events: EventQueue, options: ResolvedRedisOptions<T>) {
    this.#call = call
    this.#key = keys.heartbeat
    this.#events = events
    this.#options = options
  }

  /** Calls a script, and first writes the heartbeat if this process archives and its last write is old. */
  readonly call: CallScript = (script, keys, args, options) => {
    const { canArchive, archives } = this.#options
    if (canArchive && archives && realClock.now() >= this.#renewAt) this.#write()
    return this.#call(script, keys, args, options)
  }

  /**
   * Returns the latest deadline that this process may claim: `'now'`, or an instant of the server;
   * `undefined` if it may claim nothing.
   *
   * Where nothing is archived, it is the instant of the check: what a process that wrote the heartbeat later
   * created is due later.
   */
  async claimableUntil(): Promise<number | 'now' | undefined> {
    const { canArchive, archives, logger } = this.#options
    if (!archives) return undefined
    if (canArchive) return 'now'
    const reply = new ReplyReader(await this.#call(readHeartbeat, [this.#key], [], background))
    const now = reply.readNumber()
    if (reply.readNumber() !== 1) return now
    if (!this.#hasWarned) warn(this.#events, logger, logLines.archiverMissing.line())
    this.#hasWarned = true
    return undefined
  }

  /** Not awaited: it is written before a session of this process can expire. */
  #write(): void {
    this.#renewAt = realClock.now() + renewalMs
    this.#call(writeHeartbeat, [this.#key], [String(lifetimeMs)], background).catch(() => {
      this.#renewAt = realClock.now() + retryMs
    })
  }
}
