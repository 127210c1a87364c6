import { abortReason } from '../core/async/abort-listeners.ts'
import { needsOpenError, noFactoryError } from '../core/errors/turn-errors.ts'
import type { CreateSession } from '../core/hooks.ts'
import type { CheckedOpen } from '../core/options/call-options.ts'
import type { Access } from './access.ts'
import type { Gate } from './gate.ts'
import type { Life } from './life.ts'
import type { RedisParts } from './parts.ts'
import { untilAborted } from './until-aborted.ts'

/** Calls that bring a session to life where it is absent. */
export class OpenCalls<T> {
  readonly #parts: RedisParts<T>
  readonly #access: Access<T>
  readonly #gate: Gate

  constructor(parts: RedisParts<T>, access: Access<T>, gate: Gate) {
    this.#parts = parts
    this.#access = access
    this.#gate = gate
  }

  /** The live session, or a new one, without waiting for anything. */
  getOrCreate(id: string, create: CreateSession<T> | undefined, timeoutMs: number): Promise<Life> {
    return this.#parts.pending.track(this.#getOrCreate(id, create, timeoutMs))
  }

  async #getOrCreate(id: string, create: CreateSession<T> | undefined, timeoutMs: number): Promise<Life> {
    const { counters } = this.#parts.teller
    for (;;) {
      const life = await this.#access.live(id, { touches: true, reads: true })
      if (life !== undefined) {
        counters.hits += 1
        return life
      }
      counters.misses += 1
      const made = await this.#make(id, create, timeoutMs)
      if (made !== undefined) return made
    }
  }

  /**
   * The live session, else a loaded one, else a new one.
   *
   * Rejects with what `load` or the factory failed with, with the codes of the store, and with `signal.reason`.
   */
  async open(id: string, options: CheckedOpen<T>): Promise<Life | undefined> {
    const { signal } = options
    if (signal?.aborted === true) throw abortReason(signal)
    const opened = this.#open(id, options)
    return signal === undefined ? opened : untilAborted(opened, signal)
  }

  async #open(id: string, { create, signal }: CheckedOpen<T>): Promise<Life | undefined> {
    const { store, opener, teller } = this.#parts
    for (let isFirst = true; ; isFirst = false) {
      const entered = await store.enter(id, { touches: true, reads: true })
      if (isFirst && entered.state === 'live') teller.counters.hits += 1
      else if (isFirst) teller.counters.misses += 1
      if (entered.state === 'live') return entered.life
      if (signal?.aborted === true) return undefined
      this.#gate.assertOpen()
      const brought = await opener.bring(id, { create, token: '', left: signal })
      if (brought.state === 'created') return brought.life
      if (brought.state === 'absent') return undefined
    }
  }

  /** Makes a session where there is none; `undefined` if there was one after all. */
  async #make(
    id: string,
    create: CreateSession<T> | undefined,
    timeoutMs: number,
  ): Promise<Life | undefined> {
    const { store, teller, options } = this.#parts
    this.#gate.assertOpen()
    if (options.load !== undefined) throw needsOpenError('may have to be loaded')
    if (create === undefined) throw noFactoryError()
    const text = options.codec.encode(create(id))
    const created = await store.create(id, text, timeoutMs)
    if (created.state === 'exists') return undefined
    teller.created(created.life)
    return created.life
  }
}
