import type { Session } from '../core/session.ts'
import type { CallGate } from './call-gate.ts'
import type { Operations } from './operations.ts'
import { checkRedisId } from './redis-id.ts'
import type { AccessOptions } from './storage/access-options.ts'
import type { SessionSnapshot } from './storage/session-snapshot.ts'
import type { RedisComponents } from './wiring.ts'

/** Calls that read or touch a live session; in a turn of the id, that of the turn. */
export class Reads<T> {
  readonly #components: RedisComponents<T>
  readonly #operations: Operations<T>
  readonly #gate: CallGate<T>

  constructor(components: RedisComponents<T>, operations: Operations<T>, gate: CallGate<T>) {
    this.#components = components
    this.#operations = operations
    this.#gate = gate
  }

  async get(id: string): Promise<T | undefined> {
    const { log, options, turns } = this.#components
    const own = turns.sessionInTurn(checkRedisId(id))
    if (own !== undefined) return own.value
    const snapshot = await this.#access(id, { touches: true, reads: true })
    if (snapshot === undefined) log.counters.misses += 1
    else log.counters.hits += 1
    return snapshot === undefined ? undefined : options.codec.decode(snapshot.text)
  }

  async touch(id: string): Promise<boolean> {
    if (this.#components.turns.sessionInTurn(checkRedisId(id)) !== undefined) return true
    return (await this.#access(id, { touches: true })) !== undefined
  }

  async peek(id: string): Promise<Session<T> | undefined> {
    const own = this.#components.turns.sessionInTurn(checkRedisId(id))
    if (own !== undefined) return own
    const snapshot = await this.#access(id, { reads: true })
    return snapshot === undefined ? undefined : this.#components.log.sessionOf(snapshot)
  }

  async has(id: string): Promise<boolean> {
    return (await this.#access(checkRedisId(id), {})) !== undefined
  }

  async #access(id: string, options: AccessOptions): Promise<SessionSnapshot | undefined> {
    return this.#gate.admit() ? this.#operations.access(id, options) : undefined
  }
}
