import type { ReplyReader } from '../client/reply-reader.ts'
import type { CallOptions } from '../client/shard-guard.ts'
import { maxLifetimeOf, type ResolvedRedisOptions } from '../options.ts'
import { capacityText } from './capacity.ts'
import { ownerText } from './owner-text.ts'
import { durationText, lagOf, type SessionSnapshot } from './session-snapshot.ts'
import { newToken } from './tokens.ts'

/** The options of a session that a call creates. */
export interface NewSessionOptions {
  /** The idle timeout, in milliseconds. */
  readonly timeoutMs: number
  readonly owner: string | undefined
}

/** A session that a call creates. */
export interface NewSession extends NewSessionOptions {
  readonly text: string
}

/** A session that a script is to create, as an incarnation whose name recognises a repeated call. */
export class SessionDraft<T> {
  readonly incarnation = newToken()
  readonly #id: string
  readonly #session: NewSession
  readonly #options: ResolvedRedisOptions<T>

  constructor(id: string, session: NewSession, options: ResolvedRedisOptions<T>) {
    this.#id = id
    this.#session = session
    this.#options = options
  }

  /** The arguments that the scripts with `creation.lua.ts` share. */
  get args(): string[] {
    const { text, timeoutMs, owner } = this.#session
    const { retentionMs, maxAgeMs, maxPerShard } = this.#options
    const times = [durationText(timeoutMs), durationText(maxAgeMs)]
    const bounds = [...times, capacityText(maxPerShard)]
    return [this.#id, String(retentionMs), this.incarnation, text, ...bounds, ownerText(owner)]
  }

  get callOptions(): CallOptions {
    return { maxLifetimeMs: maxLifetimeOf(this.#options, this.#session.timeoutMs) }
  }

  /** How long it lives without activity, in milliseconds. */
  get expiresInMs(): number {
    const { timeoutMs } = this.#session
    return Math.min(timeoutMs + lagOf(timeoutMs), this.#options.maxAgeMs)
  }

  /** Returns the session as it was created: the reply has the present, its creation and its last instant. */
  readCreated(reply: ReplyReader): SessionSnapshot {
    const { text, timeoutMs, owner } = this.#session
    const { incarnation } = this
    const seenAt = reply.readNumber()
    const createdAt = reply.remaining > 0 ? reply.readNumber() : seenAt
    const maxAgeAt = reply.remaining > 0 ? reply.readNumber() : -1
    return {
      id: this.#id,
      incarnation,
      owner,
      version: incarnation,
      text,
      createdAt,
      lastActiveAt: createdAt,
      timeoutMs,
      maxAgeAt: maxAgeAt < 0 ? Number.POSITIVE_INFINITY : maxAgeAt,
      seenAt,
      held: false,
    }
  }
}
