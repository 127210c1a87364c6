import type { EventQueue } from '../../core/events/event-queue.ts'
import { realClock } from '../../core/time/clock.ts'
import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { readHeartbeat, writeHeartbeat } from '../scripts/heartbeat.lua.ts'
import type { Keys } from '../storage/keys.ts'
import { warn } from '../warning.ts'

/** How long the note stands after the last process that archives has written it. */
const lifetimeMs = 24 * 3_600_000

/** How often it is written: whatever takes it away, it is back before a session is over in the usual time. */
const renewalMs = 60_000

/** How soon it is written again where that has failed. */
const retryMs = 1_000

const background = { isBackground: true }

/**
 * The note of a prefix that some process archives, which decides what this process may claim.
 *
 * A process without `archive` would end what it claims unarchived. So it looks for the note first, and claims
 * nothing while that stands.
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

  /**
   * Calls a script, and writes the note first where this process archives and has not written it for a while.
   */
  readonly call: CallScript = (script, keys, args, options) => {
    const { archive, archives } = this.#options
    if (archive !== undefined && archives && realClock.now() >= this.#renewAt) this.#write()
    return this.#call(script, keys, args, options)
  }

  /**
   * Returns until when a life must have been due for this process to claim it: `now`, or a time of the
   * server; `undefined` where it may claim none.
   *
   * Without `archive` that is the time at which the note was looked for: what comes from a process that has
   * written the note since is not due by then.
   */
  async claimableUntil(): Promise<number | 'now' | undefined> {
    const { archive, archives, logger } = this.#options
    if (!archives) return undefined
    if (archive !== undefined) return 'now'
    const reply = new ReplyReader(await this.#call(readHeartbeat, [this.#key], [], background))
    const now = reply.readNumber()
    if (reply.readNumber() !== 1) return now
    if (!this.#hasWarned) {
      const message =
        'Sessions that are over are left to other processes: this one has no `archive`, and others of its prefix have one. ' +
        'Give it `archive` as well, or `archives: false`'
      warn(this.#events, logger, message)
    }
    this.#hasWarned = true
    return undefined
  }

  /** Not awaited: no session of this process is over before it is written. */
  #write(): void {
    this.#renewAt = realClock.now() + renewalMs
    this.#call(writeHeartbeat, [this.#key], [String(lifetimeMs)], background).catch(() => {
      this.#renewAt = realClock.now() + retryMs
    })
  }
}
