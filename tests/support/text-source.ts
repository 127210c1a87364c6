import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type GoneSession,
  type RunOptions,
  type Session,
  SessionRegistry,
  type SessionSource,
  type Turn,
} from 'session-registry'

interface Codec<T> {
  encode(value: T): string
  decode(text: string): T
}

/** A session whose value is a copy, decoded from the stored text. */
class CopiedSession<T> {
  readonly value: T
  readonly #kept: Session<string>

  constructor(kept: Session<string>, codec: Codec<T>) {
    this.#kept = kept
    this.value = codec.decode(kept.value)
  }

  get id(): string {
    return this.#kept.id
  }

  get timeoutMs(): number {
    return this.#kept.timeoutMs
  }

  set timeoutMs(timeoutMs: number) {
    this.#kept.timeoutMs = timeoutMs
  }
}

/**
 * A source that stores values as text, like the registry of several processes: a turn gets a copy, which is
 * stored when the turn resolves, and other reads get a copy of the last stored value.
 */
export class TextSource<T> implements SessionSource<T> {
  readonly registry: SessionRegistry<string>
  readonly #codec: Codec<T>
  readonly #turns = new AsyncLocalStorage<ReadonlyMap<string, Session<T>>>()

  constructor(codec: Codec<T>, create: () => T) {
    this.#codec = codec
    this.registry = new SessionRegistry({ timeoutMs: 60_000, create: () => codec.encode(create()) })
  }

  async run<R>(id: string, turn: Turn<T, R>, options?: RunOptions): Promise<R> {
    const running = this.#turns.getStore()
    const own = running?.get(id)
    const withCopy: Turn<string, R> = async (kept, signal) => {
      if (own !== undefined) return turn(own, signal)
      const session = new CopiedSession(kept, this.#codec) as unknown as Session<T>
      if (options?.whenBusy === 'join') return turn(session, signal)
      const result = await this.#turns.run(new Map(running).set(id, session), async () =>
        turn(session, signal),
      )
      kept.value = this.#codec.encode(session.value)
      return result
    }
    return this.registry.run(id, withCopy, options)
  }

  async open(id: string): Promise<T> {
    return this.#codec.decode(await this.registry.open(id))
  }

  stream(): never {
    throw new Error('No adapter streams')
  }

  async peek(id: string): Promise<Session<T> | undefined> {
    const kept = this.registry.peek(id)
    return kept === undefined ? undefined : (new CopiedSession(kept, this.#codec) as unknown as Session<T>)
  }

  async delete(id: string): Promise<boolean> {
    return this.registry.delete(id)
  }

  async *keys(): AsyncGenerator<string> {
    yield* this.registry.keys()
  }

  async whyGone(id: string): Promise<GoneSession | undefined> {
    return this.registry.whyGone(id)
  }

  on(): this {
    throw new Error('No adapter listens')
  }

  off(): this {
    throw new Error('No adapter listens')
  }
}
