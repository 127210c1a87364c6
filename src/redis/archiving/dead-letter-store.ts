import type { CheckedCodec } from '../../core/codec/codec.ts'
import type { ExpiryReason } from '../../core/end-reason.ts'
import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import { dropDead, readDead, retryDead } from '../scripts/dead-letters.lua.ts'
import type { Keys } from '../storage/keys.ts'
import { readState, type SessionSnapshot } from '../storage/session-snapshot.ts'
import { newToken } from '../storage/tokens.ts'

/** A session that could not be archived (a dead letter). */
export interface DeadSession<T> {
  readonly id: string
  readonly incarnation: string
  /** Why the session expired. */
  readonly reason: ExpiryReason
  /** Archives of it that began, by all processes. */
  readonly attempts: number
  /** Epoch milliseconds of the last failure. */
  readonly failedAt: number
  /**
   * The value, decoded when it is read.
   *
   * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
   */
  readonly value: T
}

/** A dead letter as Redis keeps it. */
export interface DeadLetter extends SessionSnapshot {
  readonly attempts: number
  readonly failedAt: number
  readonly reason: ExpiryReason
}

/**
 * UTF-8 bytes of values per reply, which its last value may exceed: the memory that a long list needs at a
 * time.
 */
const pageBytes = 1024 * 1024

/** Incarnations per call. */
const incarnationsPerCall = 200

/** The dead letters in Redis. */
export class DeadLetterStore {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #retention: string

  constructor(call: CallScript, keys: Keys, retentionMs: number) {
    this.#call = call
    this.#keys = keys
    this.#retention = String(retentionMs)
  }

  /** Reads these dead letters of an id, a bounded number of bytes at a time. */
  async *read(id: string, incarnations: readonly string[]): AsyncGenerator<DeadLetter, void, undefined> {
    for (let start = 0; start < incarnations.length; ) {
      const batch = incarnations.slice(start, start + incarnationsPerCall)
      const args = [id, this.#retention, String(pageBytes), ...batch]
      const reply = new ReplyReader(await this.#call(readDead, this.#keys.ofId(id), args))
      const seenAt = reply.readNumber()
      start += Math.max(reply.readNumber(), 1)
      yield* readDeadLetters(id, seenAt, reply)
    }
  }

  /**
   * Moves the dead letters of an id back to its backlog, ahead of younger incarnations. Returns their number.
   */
  async retry(id: string): Promise<number> {
    const args = [id, this.#retention]
    return new ReplyReader(await this.#call(retryDead, this.#keys.ofId(id, newToken()), args)).readNumber()
  }

  /** Drops the dead letters of an id, a bounded number of bytes at a time. */
  async *drop(id: string): AsyncGenerator<DeadLetter, void, undefined> {
    for (;;) {
      const args = [id, this.#retention, String(pageBytes)]
      const reply = new ReplyReader(await this.#call(dropDead, this.#keys.ofId(id, newToken()), args))
      const seenAt = reply.readNumber()
      const remaining = reply.readNumber()
      yield* readDeadLetters(id, seenAt, reply)
      if (remaining === 0) return
    }
  }
}

function readDeadLetters(id: string, seenAt: number, reply: ReplyReader): DeadLetter[] {
  const found: DeadLetter[] = []
  while (reply.remaining > 0) {
    const incarnation = reply.readText()
    const state = readState(reply)
    const failure = {
      attempts: reply.readNumber(),
      failedAt: reply.readNumber(),
      reason: reply.readText() as ExpiryReason,
    }
    found.push({ id, incarnation, ...state, ...failure, seenAt, held: false, text: reply.readText() })
  }
  return found
}

export function toDeadSession<T>(snapshot: DeadLetter, codec: CheckedCodec<T>): DeadSession<T> {
  const { id, incarnation, reason, attempts, failedAt, text } = snapshot
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
