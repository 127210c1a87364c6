import type { DeleteContext, PutContext, StoreContext, StoredSession } from 'session-registry'
import { type Deferred, deferred } from './deferred.ts'
import { MemoryStore } from './memory-store.ts'
import { storedSession } from './store-session.ts'

type Method = 'get' | 'put' | 'delete' | 'prune' | 'close'
type Call = () => Promise<unknown>
/** What one call does instead of its effect alone. */
type Behaviour = (effect: Call) => Promise<unknown>

/** A call that waits for the test, after its effect. */
export interface GatedCall {
  /** Fulfils when the call has begun. */
  readonly begun: Promise<void>
  /** Settles the call: a fulfilment lets it return what it would have returned. */
  readonly end: Deferred<void>
  readonly signal: AbortSignal | undefined
}

/**
 * A comparing store that records its calls, and whose next calls fail, wait or return rubbish as a test
 * wants.
 */
export class FaultStore extends MemoryStore {
  /** Each call as a line such as `put ada`, in order. */
  #lines: string[] = []
  readonly puts: { readonly session: StoredSession; readonly replaces: string | null | undefined }[] = []
  readonly prunes: { readonly before: number; readonly limit: number }[] = []
  readonly failure = new Error('the back end is away')
  readonly #next: Record<Method, Behaviour[]> = { get: [], put: [], delete: [], prune: [], close: [] }

  override get(id: string, context: StoreContext): Promise<StoredSession | undefined> {
    return this.#call('get', id, context.signal, () => super.get(id, context))
  }

  override put(session: StoredSession, context: PutContext): Promise<boolean> {
    this.puts.push({ session, replaces: context.replaces })
    return this.#call('put', session.id, context.signal, () => super.put(session, context))
  }

  override delete(id: string, context: DeleteContext): Promise<void> {
    return this.#call('delete', id, context.signal, () => super.delete(id, context))
  }

  override prune(before: number, limit: number): Promise<string[]> {
    this.prunes.push({ before, limit })
    return this.#call('prune', '', undefined, () => super.prune(before, limit))
  }

  override close(): Promise<void> {
    return this.#call('close', '', undefined, () => super.close())
  }

  /** The next calls of a method fail without an effect. */
  failNext(method: Method, times = 1): void {
    for (let time = 0; time < times; time += 1) this.#next[method].push(() => Promise.reject(this.failure))
  }

  /** The next calls of a method have their effect, and then fail. */
  failAfterEffect(method: Method, times = 1): void {
    for (let time = 0; time < times; time += 1) {
      this.#next[method].push(async (effect) => {
        await effect()
        throw this.failure
      })
    }
  }

  /** The next call of a method returns this, without an effect. */
  returnNext(method: Method, result: unknown): void {
    this.#next[method].push(async () => result)
  }

  /** The next call of a method has its effect, and then waits for the test, though its signal aborts. */
  gateNext(method: Method): GatedCall {
    const begun = deferred()
    const end = deferred()
    const gated = { begun: begun.promise, end, signal: undefined as AbortSignal | undefined }
    this.#next[method].push(async (effect) => {
      gated.signal = this.#signal
      begun.resolve()
      const result = await effect()
      await end.promise
      return result
    })
    return gated
  }

  /** Returns the lines of the calls since the last time. */
  take(): string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }

  /** The value that is stored, or `undefined`. */
  value(id: string): unknown {
    const session = this.session(id)
    return session && JSON.parse(session.text)
  }

  get size(): number {
    return this.kept.size
  }

  /** Stores a session as another process would: under a revision that this one has not seen. */
  writeElsewhere(fields: Partial<StoredSession> & { readonly value: unknown }): StoredSession {
    const { value, ...rest } = fields
    const id = rest.id ?? 'ada'
    const before = this.kept.get(id)
    const times =
      before === undefined ? {} : { createdAt: before.createdAt, lastActiveAt: before.lastActiveAt }
    const session = storedSession({ id, ...times, ...rest, text: JSON.stringify(value) })
    this.kept.set(id, session)
    return session
  }

  deleteElsewhere(id: string): void {
    this.kept.delete(id)
  }

  #signal: AbortSignal | undefined

  async #call<R>(
    method: Method,
    id: string,
    signal: AbortSignal | undefined,
    effect: () => Promise<R>,
  ): Promise<R> {
    this.#lines.push(id === '' ? method : `${method} ${id}`)
    this.#signal = signal
    const behaviour = this.#next[method].shift()
    return (behaviour === undefined ? effect() : behaviour(effect)) as Promise<R>
  }
}
