import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import { alive, count, countSince, page } from '../scripts/scan.lua.ts'
import type { IncarnationRef, Keys } from './keys.ts'

/** Names per page: the server is busy with one for about a millisecond. */
const pageSize = 500

/** Lives that are asked for together just before they are handed out. */
const batchSize = 32

/** The dead lives of one id. */
export interface DeadIncarnations {
  readonly id: string
  readonly incarnations: string[]
}

/** Goes through the sorted sets of all shards; no SCAN, no KEYS. */
export class SessionScan {
  readonly #call: CallScript
  readonly #keys: Keys

  constructor(call: CallScript, keys: Keys) {
    this.#call = call
    this.#keys = keys
  }

  /** Sessions of all processes: those that are over and not claimed yet are counted. */
  async size(): Promise<number> {
    return this.#sum((shard) => this.#call(count, [this.#keys.deadlines(shard)], []))
  }

  /** The lives that were given up since `ms` ago. */
  async deadCount(ms: number): Promise<number> {
    return this.#sum((shard) => this.#call(countSince, [this.#keys.dead(shard)], [String(ms)]))
  }

  /**
   * The lives that live, shard by shard as they were when the walk came to it, least recently active first,
   * in batches that were looked at once more just before.
   */
  async *live(): AsyncGenerator<IncarnationRef[], void, undefined> {
    for (const shard of this.#shards()) {
      const key = this.#keys.deadlines(shard)
      const members = await this.#membersOf(key, 'now')
      for (let from = 0; from < members.length; from += batchSize) {
        const batch = members.slice(from, from + batchSize)
        const reply = new ReplyReader(await this.#call(alive, [key], batch))
        yield this.#refsOf(
          shard,
          batch.filter(() => reply.readNumber() === 1),
        )
      }
    }
  }

  /** All lives that are not given up, those that are over included. */
  async *all(): AsyncGenerator<IncarnationRef[], void, undefined> {
    for (const shard of this.#shards()) {
      for (const key of [this.#keys.deadlines(shard), this.#keys.queue(shard)[0]]) {
        yield this.#refsOf(shard, await this.#membersOf(key, '-inf'))
      }
    }
  }

  /**
   * The lives that were given up since `ms` ago, by their id; in each shard the id that failed the longest
   * ago is first.
   */
  async *dead(ms: number): AsyncGenerator<DeadIncarnations, void, undefined> {
    for (const shard of this.#shards()) {
      const ids = new Map<string, string[]>()
      for (const { id, incarnation } of this.#refsOf(
        shard,
        await this.#membersOf(this.#keys.dead(shard), 'now', ms),
      )) {
        const known = ids.get(id)
        if (known === undefined) ids.set(id, [incarnation])
        else known.push(incarnation)
      }
      for (const [id, incarnations] of ids) yield { id, incarnations }
    }
  }

  async #sum(ask: (shard: number) => Promise<unknown>): Promise<number> {
    const answers = await Promise.all(this.#shards().map(ask))
    return answers.reduce((sum: number, reply) => sum + new ReplyReader(reply).readNumber(), 0)
  }

  /** Entries that are no lives of the shard are passed over: the next claim removes them. */
  #refsOf(shard: number, members: readonly string[]): IncarnationRef[] {
    const refs = members.map((member) => this.#keys.incarnationIn(shard, member))
    return refs.filter((ref) => ref !== undefined)
  }

  #shards(): number[] {
    return Array.from({ length: this.#keys.shards }, (_, shard) => shard)
  }

  /** All members of a set, once each, though their scores may change between two pages. */
  async #membersOf(key: string, from: string, agoMs = 0): Promise<string[]> {
    const found = new Set<string>()
    for (let score = from, passed = 0; ; ) {
      const reply = new ReplyReader(
        await this.#call(page, [key], [score, String(passed), String(pageSize), String(agoMs)]),
      )
      const size = reply.remaining / 2
      while (reply.remaining > 0) {
        found.add(reply.readText())
        const next = reply.readText()
        passed = next === score ? passed + 1 : 1
        score = next
      }
      if (size < pageSize) return [...found]
    }
  }
}
