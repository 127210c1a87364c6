import type { EventQueue } from '../core/events/event-queue.ts'
import { realClock } from '../core/time/clock.ts'
import { Answer } from './answer.ts'
import type { Keys } from './keys.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { noteArchives, readArchives } from './scripts/archives.lua.ts'
import type { CallScript } from './shard-config.ts'
import { warn } from './warning.ts'

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
 * A process without `archive` would end what it claims unarchived. So it looks for the note first, and claims nothing while
 * that stands.
 */
export class ArchiveNote<T> {
  readonly #call: CallScript
  readonly #key: string
  readonly #announcer: EventQueue
  readonly #options: ResolvedRedisOptions<T>
  #renewAt = Number.NEGATIVE_INFINITY
  #hasWarned = false

  constructor(call: CallScript, keys: Keys, announcer: EventQueue, options: ResolvedRedisOptions<T>) {
    this.#call = call
    this.#key = keys.archives
    this.#announcer = announcer
    this.#options = options
  }

  /** Calls a script, and writes the note first where this process archives and has not written it for a while. */
  readonly call: CallScript = (script, keys, args, options) => {
    const { archive, archives } = this.#options
    if (archive !== undefined && archives && realClock.now() >= this.#renewAt) this.#write()
    return this.#call(script, keys, args, options)
  }

  /**
   * Returns until when a life must have been due for this process to claim it: `now`, or a time of the server; `undefined`
   * where it may claim none.
   *
   * Without `archive` that is the time at which the note was looked for: what comes from a process that has written the note
   * since is not due by then.
   */
  async claimableUntil(): Promise<number | 'now' | undefined> {
    const { archive, archives, logger } = this.#options
    if (!archives) return undefined
    if (archive !== undefined) return 'now'
    const answer = new Answer(await this.#call(readArchives, [this.#key], [], background))
    const now = answer.number()
    if (answer.number() !== 1) return now
    if (!this.#hasWarned) {
      const message =
        'Sessions that are over are left to other processes: this one has no `archive`, and others of its prefix have one. ' +
        'Give it `archive` as well, or `archives: false`'
      warn(this.#announcer, logger, message)
    }
    this.#hasWarned = true
    return undefined
  }

  /** Not awaited: no session of this process is over before it is written. */
  #write(): void {
    this.#renewAt = realClock.now() + renewalMs
    this.#call(noteArchives, [this.#key], [String(lifetimeMs)], background).catch(() => {
      this.#renewAt = realClock.now() + retryMs
    })
  }
}
