/**
 * An estimate of the server's clock, from the times in its replies.
 *
 * A reply with the time `s`, to a call sent at `a` and received at `b` (monotonic time of this process), was
 * written between the two. So the server's clock is ahead of ours by `s - b` at least and by `s - a` at most.
 * Deadlines use the lower bound: a script may be refused a little early, never late.
 *
 * Each node of a cluster has its own clock, so each shard has its own estimate. A shard without one uses the
 * latest of any.
 */
export class ServerClock {
  /** By how much the server's clock is at least ahead of ours, by shard. */
  readonly #offsets = new Map<string, number>()
  #latest: number | undefined

  /** Adds the time of a reply to the estimate. */
  observe(shard: string, serverNow: number, sentAt: number, receivedAt: number): void {
    const lower = serverNow - receivedAt
    // The server's time is rounded down.
    const upper = serverNow + 1 - sentAt
    const known = this.#offsets.get(shard)
    // The tightest bound, unless the clock was set back, or another node with another clock took the shard.
    const offset = known === undefined || known > upper ? lower : Math.max(known, lower)
    this.#offsets.set(shard, offset)
    this.#latest = offset
  }

  /**
   * Returns epoch milliseconds of the server at a monotonic time of this process, never more than it will be;
   * `undefined` while unknown.
   */
  serverTimeAt(shard: string, moment: number): number | undefined {
    const offset = this.#offsets.get(shard) ?? this.#latest
    return offset === undefined ? undefined : Math.floor(moment + offset)
  }
}
