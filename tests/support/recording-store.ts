import type { DeleteContext, PutContext, StoreContext, StoredSession } from 'session-registry'
import { type Deferred, deferred } from './deferred.ts'
import { MemoryStore } from './memory-store.ts'

type Method = 'get' | 'put' | 'delete'

/** A store in memory that records its calls, and fails or delays them as the test says. */
export class RecordingStore extends MemoryStore {
  readonly calls: { readonly method: Method; readonly id: string }[] = []
  readonly failing = new Set<Method>()
  readonly failure = new Error('the disk is full')
  /** Calls of these methods wait until the promise settles, before their effect. */
  readonly gates = new Map<Method, Deferred<void>>()
  closed = 0
  pruned: number[] = []

  override async get(id: string, context: StoreContext): Promise<StoredSession | undefined> {
    await this.#enter('get', id)
    return super.get(id, context)
  }

  override async put(session: StoredSession, context: PutContext): Promise<boolean> {
    await this.#enter('put', session.id)
    return super.put(session, context)
  }

  override async delete(id: string, context: DeleteContext): Promise<void> {
    await this.#enter('delete', id)
    return super.delete(id, context)
  }

  override async prune(before: number, limit: number): Promise<string[]> {
    this.pruned.push(before)
    return super.prune(before, limit)
  }

  override async close(): Promise<void> {
    this.closed += 1
  }

  /** Delays the calls of a method until the result is resolved. */
  hold(method: Method): Deferred<void> {
    const gate = deferred<void>()
    this.gates.set(method, gate)
    return gate
  }

  /** Returns what is stored, without a call. */
  stored(id: string): StoredSession | undefined {
    return this.kept.get(id)
  }

  /** Stores a session without a call. */
  keep(session: StoredSession): void {
    this.kept.set(session.id, session)
  }

  count(method: Method, id?: string): number {
    return this.calls.filter((call) => call.method === method && (id === undefined || call.id === id)).length
  }

  async #enter(method: Method, id: string): Promise<void> {
    this.calls.push({ method, id })
    await this.gates.get(method)?.promise
    if (this.failing.has(method)) throw this.failure
  }
}
