import { realClock } from '../../core/time/clock.ts'

/** Notices when the server's clock is set forward so far that data have gone by their TTL. */
export class ClockJumpDetector {
  readonly #limitMs: number
  /** By how much the clock of each shard's server is ahead of ours. */
  readonly #offsets = new Map<number, number>()

  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  /**
   * Takes a time of the server; returns by how much its clock was set forward since, if that is more than the
   * limit.
   */
  observe(shard: number, serverNow: number): number | undefined {
    const offset = serverNow - realClock.now()
    const jumpMs = offset - (this.#offsets.get(shard) ?? offset)
    // The other shards of the same server will have jumped as well, and one report is enough.
    if (jumpMs > this.#limitMs) this.#offsets.clear()
    this.#offsets.set(shard, offset)
    return jumpMs > this.#limitMs ? jumpMs : undefined
  }
}
