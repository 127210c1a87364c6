import { realClock } from '../../core/time/clock.ts'

/** A detector of a server clock that was set forward so far that data expired by their TTL. */
export class ClockJumpDetector {
  readonly #limitMs: number
  /** By how much the clock of the server is ahead of ours, by shard. */
  readonly #offsets = new Map<number, number>()

  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  /**
   * Returns by how much the clock was set forward since the last call for this shard, if that is more than
   * the limit.
   */
  observe(shard: number, serverNow: number): number | undefined {
    const offset = serverNow - realClock.now()
    const jumpMs = offset - (this.#offsets.get(shard) ?? offset)
    // The other shards of the server jumped too, and one report is enough.
    if (jumpMs > this.#limitMs) this.#offsets.clear()
    this.#offsets.set(shard, offset)
    return jumpMs > this.#limitMs ? jumpMs : undefined
  }
}
