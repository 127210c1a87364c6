import { ManualClock } from 'session-registry/testing'
import type { RunScript } from '../../src/redis/client/client.ts'
import { RetryingCaller } from '../../src/redis/client/retrying-caller.ts'
import { ReadOnlyScript, Script } from '../../src/redis/client/script.ts'
import { type ObservedPromise, observe } from './observed-promise.ts'

const writing = new Script('writing', 'return 1')
export const reading = new ReadOnlyScript('reading', 'return 1')

/**
 * A server whose clock, stalls and lost replies the test controls; it respects the deadlines of scripts.
 */
export class SimulatedServer {
  readonly clock = new ManualClock()
  readonly backend: RetryingCaller
  /** Executed operations, with the time since the start of the test. */
  readonly carriedOut: { readonly name: string; readonly at: number }[] = []
  /** The number of calls that arrived after their deadline. */
  refused = 0
  /** The server's clock at the start of the test. */
  offset = 1_700_000_000_000
  /** Latency of a call and of its reply, in milliseconds. */
  latency = { there: 0, back: 0 }
  /** Delivers or drops a reply. */
  delivers = true
  #resume: (() => void)[] | undefined

  constructor(callTimeoutMs: number) {
    this.backend = new RetryingCaller(this.#run, callTimeoutMs, this.clock)
  }

  /** Queues calls from now on instead of executing them. */
  stall(): void {
    this.#resume ??= []
  }

  /** Executes the queued calls. */
  resume(): void {
    const kept = this.#resume ?? []
    this.#resume = undefined
    for (const one of kept) one()
  }

  call(
    name: string,
    { script = writing, shard = 0, onLate }: { script?: Script; shard?: number; onLate?: () => void } = {},
  ): ObservedPromise<unknown> {
    return observe(
      this.backend.call(script, [`{p:${shard}}:s:${name}`], [name], { keepsAlive: true, onLate }),
    )
  }

  readonly #run: RunScript = async (_script, _keys, args) => {
    await this.#wait(this.latency.there)
    const kept = this.#resume
    if (kept !== undefined) await new Promise<void>((resolve) => kept.push(resolve))
    const now = Math.floor(this.offset + this.clock.now())
    const isLate = now > Number(args.at(-2))
    if (isLate) this.refused += 1
    else this.carriedOut.push({ name: args[0] ?? '', at: this.clock.now() })
    if (!this.delivers) return new Promise(() => {})
    await this.#wait(this.latency.back)
    return isLate ? [0, now] : [1, now, 'answer']
  }

  #wait(ms: number): Promise<void> {
    return ms === 0 ? Promise.resolve() : new Promise((resolve) => void this.clock.setTimeout(resolve, ms))
  }
}
