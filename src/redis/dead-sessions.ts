import type { CheckedCodec } from '../core/codec.ts'
import type { ExpiryReason } from '../core/end-reason.ts'
import { Answer } from './answer.ts'
import type { Keys } from './keys.ts'
import { type Life, readTimes } from './life.ts'
import { newName } from './names.ts'
import { dead } from './scripts/dead.lua.ts'
import type { CallScript } from './shard-config.ts'

/** A life that could not be archived. */
export interface DeadSession<T> {
  readonly id: string
  readonly incarnation: string
  /** Why it was over. */
  readonly reason: ExpiryReason
  /** How often the archive hook was called for it. */
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

/** The lives that were given up. */
export class DeadStore {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #retention: string

  constructor(call: CallScript, keys: Keys, retentionMs: number) {
    this.#call = call
    this.#keys = keys
    this.#retention = String(retentionMs)
  }

  read(id: string): Promise<DeadLife[]> {
    return this.#do(id, 'read')
  }

  /** They may be archived again, ahead of the younger lives of the id. */
  retry(id: string): Promise<DeadLife[]> {
    return this.#do(id, 'retry')
  }

  drop(id: string): Promise<DeadLife[]> {
    return this.#do(id, 'drop')
  }

  async #do(id: string, what: 'read' | 'retry' | 'drop'): Promise<DeadLife[]> {
    const args = [id, this.#retention, what]
    const answer = new Answer(await this.#call(dead, this.#keys.life(id, newName()), args))
    const seenAt = answer.number()
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
