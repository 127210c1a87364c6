/**
 * An estimate of the server's clock, from the times that its answers carry.
 *
 * An answer with the time `s`, to what was sent at `a` and received at `b` (monotonic time of this process),
 * was given at some moment between the two: the server's clock is ahead of ours by `s - b` at the least and
 * by `s - a` at the most. What must not happen after a moment is told the time by the lower bound: it may be
 * refused a little early, never late.
 *
 * Each node of a cluster has a clock of its own, so each shard has an estimate of its own; one that is not
 * known yet takes the latest of any.
 */
export class ServerClock {
  /** By how much the server's clock is ahead of ours at the least. */
  readonly #offsets = new Map<string, number>()
  #latest: number | undefined

  /** Takes the time of an answer into account. */
  observe(shard: string, serverNow: number, sentAt: number, receivedAt: number): void {
    const lower = serverNow - receivedAt
    // The server's time is rounded down.
    const upper = serverNow + 1 - sentAt
    const known = this.#offsets.get(shard)
    // The tightest bound, unless the clock was set back, or another node with another clock has taken over.
    const offset = known === undefined || known > upper ? lower : Math.max(known, lower)
    this.#offsets.set(shard, offset)
    this.#latest = offset
  }

  /**
   * Epoch ms of the server at a moment of this process, never more than it will be; `undefined`: not known
   * yet.
   */
  serverTimeAt(shard: string, moment: number): number | undefined {
    const offset = this.#offsets.get(shard) ?? this.#latest
    return offset === undefined ? undefined : Math.floor(moment + offset)
  }
}
