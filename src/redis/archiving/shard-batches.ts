import type { ConstructionContext } from '../../core/async/construction-context.ts'

/** The most requests in a call: the server is busy with one for less than half a millisecond. */
const maxBatch = 32

/** The answer to a request that a call did not carry out: it is to be sent in a call of its own. */
export const alone = Symbol('alone')

/** The answer to a request that a call did not come to: it is to be sent again. */
export const again = Symbol('again')

export type Answer<A> = A | typeof alone | typeof again

/** Makes one call for requests of a shard, and returns their answers in order. */
export type CallForBatch<R, A> = (shard: number, requests: readonly R[]) => Promise<readonly Answer<A>[]>

interface Entry<R, A> {
  readonly request: R
  readonly resolve: (answer: A) => void
  readonly reject: (error: unknown) => void
}

/**
 * A collector of requests that need a call each: those of one shard and one iteration of the event loop are
 * one call. Each request settles by its own answer.
 *
 * It waits no longer than that, so that no request is later for the sake of others.
 */
export class ShardBatches<R, A> {
  readonly #context: ConstructionContext
  readonly #call: CallForBatch<R, A>
  #waiting = new Map<number, Entry<R, A>[]>()

  constructor(context: ConstructionContext, call: CallForBatch<R, A>) {
    this.#context = context
    this.#call = call
  }

  ask(shard: number, request: R): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0)
        this.#context.nextLoopIteration(() => this.#sendAll(), { keepsAlive: true })
      const entries = this.#waiting.get(shard)
      const entry = { request, resolve, reject }
      if (entries === undefined) this.#waiting.set(shard, [entry])
      else entries.push(entry)
    })
  }

  #sendAll(): void {
    const waiting = this.#waiting
    this.#waiting = new Map()
    for (const [shard, entries] of waiting) {
      for (let from = 0; from < entries.length; from += maxBatch)
        void this.#send(shard, entries.slice(from, from + maxBatch))
    }
  }

  async #send(shard: number, entries: readonly Entry<R, A>[]): Promise<void> {
    try {
      const requests = entries.map(({ request }) => request)
      const answers = await this.#call(shard, requests)
      const missed: Entry<R, A>[] = []
      for (const [index, entry] of entries.entries()) {
        const answer = answers[index] as Answer<A>
        if (answer === alone) void this.#send(shard, [entry])
        else if (answer === again) missed.push(entry)
        else entry.resolve(answer)
      }
      if (missed.length > 0) void this.#send(shard, missed)
    } catch (error) {
      for (const { reject } of entries) reject(error)
    }
  }
}
