import type { CheckedCodec } from '../core/codec/codec.ts'
import type { ExpiryReason } from '../core/end-reason.ts'
import { Answer } from './answer.ts'
import type { Keys } from './keys.ts'
import { type Life, readTimes } from './life.ts'
import { newName } from './names.ts'
import { dropDead, readDead, retryDead } from './scripts/dead.lua.ts'
import type { CallScript } from './shard-config.ts'

/** A life that could not be archived. */
export interface DeadSession<T> {
  readonly id: string
  readonly incarnation: string
  /** Why it was over. */
  readonly reason: ExpiryReason
  /** Archives of it that began. */
  readonly attempts: number
  /** Epoch ms of the last failure. */
  readonly failedAt: number
  /** Decoded when it is read. */
  readonly value: T
}

/** A dead life with what its end would tell. */
export interface DeadLife extends Life {
  readonly attempts: number
  readonly failedAt: number
  readonly reason: ExpiryReason
}

/** UTF-8 bytes of values per answer, of which the last one may go beyond: what a process keeps of a long dead list. */
const pageBytes = 1024 * 1024

/** Names per call. */
const namesPerCall = 200

/** The lives on the dead list. */
export class DeadStore {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #retention: string

  constructor(call: CallScript, keys: Keys, retentionMs: number) {
    this.#call = call
    this.#keys = keys
    this.#retention = String(retentionMs)
  }

  /** Reads these lives of an id, a bounded number of bytes at a time. */
  async *read(id: string, incarnations: readonly string[]): AsyncGenerator<DeadLife, void, undefined> {
    for (let from = 0; from < incarnations.length; ) {
      const names = incarnations.slice(from, from + namesPerCall)
      const args = [id, this.#retention, String(pageBytes), ...names]
      const answer = new Answer(await this.#call(readDead, this.#keys.life(id), args))
      const seenAt = answer.number()
      from += Math.max(answer.number(), 1)
      yield* readLives(id, seenAt, answer)
    }
  }

  /** They may be archived again, ahead of the younger lives of the id. Returns how many. */
  async retry(id: string): Promise<number> {
    const args = [id, this.#retention]
    return new Answer(await this.#call(retryDead, this.#keys.life(id, newName()), args)).number()
  }

  /** Ends them, a bounded number of bytes at a time. */
  async *drop(id: string): AsyncGenerator<DeadLife, void, undefined> {
    for (;;) {
      const args = [id, this.#retention, String(pageBytes)]
      const answer = new Answer(await this.#call(dropDead, this.#keys.life(id, newName()), args))
      const seenAt = answer.number()
      const left = answer.number()
      yield* readLives(id, seenAt, answer)
      if (left === 0) return
    }
  }
}

function readLives(id: string, seenAt: number, answer: Answer): DeadLife[] {
  const found: DeadLife[] = []
  while (answer.rest > 0) {
    const incarnation = answer.text()
    const times = readTimes(answer)
    const fate = {
      attempts: answer.number(),
      failedAt: answer.number(),
      reason: answer.text() as ExpiryReason,
    }
    found.push({ id, incarnation, ...times, ...fate, seenAt, held: false, text: answer.text() })
  }
  return found
}

export function deadSession<T>(life: DeadLife, codec: CheckedCodec<T>): DeadSession<T> {
  const { id, incarnation, reason, attempts, failedAt, text } = life
  return {
    id,
    incarnation,
    reason,
    attempts,
    failedAt,
    get value() {
      return codec.decode(text)
    },
  }
}
