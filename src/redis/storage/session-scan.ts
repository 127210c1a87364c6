import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import { alive, count, countSince, page } from '../scripts/scan.lua.ts'
import type { IncarnationRef, Keys } from './keys.ts'

/** Members per page; the server is busy with one for about a millisecond. */
const pageSize = 500

/** Incarnations that are checked together just before they are yielded. */
const batchSize = 32

/** The dead letters of one id. */
export interface DeadIncarnations {
  readonly id: string
  readonly incarnations: string[]
}

/** Iteration and counting by the sorted sets of all shards, without SCAN or KEYS. */
export class SessionScan {
  readonly #call: CallScript
  readonly #keys: Keys

  constructor(call: CallScript, keys: Keys) {
    this.#call = call
    this.#keys = keys
  }

  /** Returns the number of sessions of all processes, expired ones included until they are claimed. */
  async size(): Promise<number> {
    return this.#sum((shard) => this.#call(count, [this.#keys.deadlines(shard)], []))
  }

  /** Returns the number of dead letters of the last `ms`. */
  async deadCount(ms: number): Promise<number> {
    return this.#sum((shard) => this.#call(countSince, [this.#keys.dead(shard)], [String(ms)]))
  }

  /**
   * Yields the live incarnations: shard by shard as they were when it reached the shard, least recently
   * active first, each batch checked once more just before.
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

  /** Yields all incarnations except dead letters, expired ones included. */
  async *all(): AsyncGenerator<IncarnationRef[], void, undefined> {
    for (const shard of this.#shards()) {
      for (const key of [this.#keys.deadlines(shard), this.#keys.queue(shard)[0]]) {
        yield this.#refsOf(shard, await this.#membersOf(key, '-inf'))
      }
    }
  }

  /** Yields the dead letters of the last `ms` by id; in each shard, the id with the oldest failure first. */
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

  async #sum(countShard: (shard: number) => Promise<unknown>): Promise<number> {
    const replies = await Promise.all(this.#shards().map(countShard))
    return replies.reduce((sum: number, reply) => sum + new ReplyReader(reply).readNumber(), 0)
  }

  /** Skips members that are not incarnations of the shard: the next claim removes them. */
  #refsOf(shard: number, members: readonly string[]): IncarnationRef[] {
    const refs = members.map((member) => this.#keys.incarnationIn(shard, member))
    return refs.filter((ref) => ref !== undefined)
  }

  #shards(): number[] {
    return Array.from({ length: this.#keys.shards }, (_, shard) => shard)
  }

  /** Returns all members of a set, once each, though their scores may change between two pages. */
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
