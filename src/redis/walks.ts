import { Answer } from './answer.ts'
import { type Keys, type LifeName, nameOf } from './keys.ts'
import { alive, count, page } from './scripts/walk.lua.ts'
import type { CallScript } from './shard-config.ts'

/** Names per page: the server is busy with one for about a millisecond. */
const pageSize = 500

/** Lives that are asked for together just before they are handed out. */
const batchSize = 32

/** Goes through the sorted sets of all shards; no SCAN, no KEYS. */
export class Walks {
  readonly #call: CallScript
  readonly #keys: Keys

  constructor(call: CallScript, keys: Keys) {
    this.#call = call
    this.#keys = keys
  }

  /** Sessions of all processes: those that are over and not claimed yet are counted. */
  async size(): Promise<number> {
    const counts = await Promise.all(
      this.#shards().map(async (shard) =>
        new Answer(await this.#call(count, [this.#keys.deadlines(shard)], [])).number(),
      ),
    )
    return counts.reduce((sum, one) => sum + one, 0)
  }

  /**
   * The lives that live, shard by shard as they were when the walk came to it, least recently active first, in batches
   * that were looked at once more just before.
   */
  async *live(): AsyncGenerator<LifeName[], void, undefined> {
    for (const shard of this.#shards()) {
      const key = this.#keys.deadlines(shard)
      const members = await this.#all(key, 'now')
      for (let from = 0; from < members.length; from += batchSize) {
        const batch = members.slice(from, from + batchSize)
        const answer = new Answer(await this.#call(alive, [key], batch))
        yield batch.filter(() => answer.number() === 1).map(nameOf)
      }
    }
  }

  /** All lives that are not given up, those that are over included. */
  async *all(): AsyncGenerator<LifeName[], void, undefined> {
    for (const shard of this.#shards()) {
      for (const key of [this.#keys.deadlines(shard), this.#keys.queue(shard)[0]]) {
        yield (await this.#all(key, '-inf')).map(nameOf)
      }
    }
  }

  /** The lives that were given up since `ms` ago, the longest ago first in each shard. */
  async *dead(ms: number): AsyncGenerator<LifeName, void, undefined> {
    for (const shard of this.#shards()) {
      for (const member of await this.#all(this.#keys.dead(shard), 'now', ms)) yield nameOf(member)
    }
  }

  #shards(): number[] {
    return Array.from({ length: this.#keys.shards }, (_, shard) => shard)
  }

  /** All members of a set, once each, though their scores may change between two pages. */
  async #all(key: string, from: string, agoMs = 0): Promise<string[]> {
    const found = new Set<string>()
    for (let score = from, passed = 0; ; ) {
      const answer = new Answer(
        await this.#call(page, [key], [score, String(passed), String(pageSize), String(agoMs)]),
      )
      const size = answer.rest / 2
      while (answer.rest > 0) {
        found.add(answer.text())
        const next = answer.text()
        passed = next === score ? passed + 1 : 1
        score = next
      }
      if (size < pageSize) return [...found]
    }
  }
}
