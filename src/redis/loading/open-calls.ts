import { AsyncResource } from 'node:async_hooks'
import { abortReason } from '../../core/async/abort-listeners.ts'
import { needsOpenError, noFactoryError, notOwnerError } from '../../core/errors/turn-errors.ts'
import type { Gate } from '../../core/gate.ts'
import type { CreateSession } from '../../core/hooks.ts'
import type { CheckedOpen } from '../../core/options/call-options.ts'
import type { Operations } from '../operations.ts'
import type { NewSessionOptions } from '../storage/session-draft.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'
import { untilAborted } from '../until-aborted.ts'
import type { RedisComponents } from '../wiring.ts'

/** Calls that load or create a session where it is absent. */
export class OpenCalls<T> {
  readonly #components: RedisComponents<T>
  readonly #operations: Operations<T>
  readonly #gate: Gate<T>

  constructor(components: RedisComponents<T>, operations: Operations<T>, gate: Gate<T>) {
    this.#components = components
    this.#operations = operations
    this.#gate = gate
  }

  /** Returns the live session, or a new one. It never loads. */
  getOrCreate(
    id: string,
    create: CreateSession<T> | undefined,
    options: NewSessionOptions,
  ): Promise<SessionSnapshot> {
    return this.#components.pending.track(this.#getOrCreate(id, create, options))
  }

  async #getOrCreate(
    id: string,
    create: CreateSession<T> | undefined,
    options: NewSessionOptions,
  ): Promise<SessionSnapshot> {
    const { owner } = options
    const { counters } = this.#components.log
    for (;;) {
      const snapshot = await this.#operations.access(id, { touches: true, reads: true, owner })
      if (snapshot !== undefined) {
        counters.hits += 1
        return snapshot
      }
      counters.misses += 1
      const created = await this.#create(id, create, options)
      if (created !== undefined) return created
    }
  }

  /**
   * Returns the live session, else a loaded one, else a new one.
   *
   * Rejects with the error of `load` or the factory, with the codes of the store, and with `signal.reason`.
   */
  async open(id: string, options: CheckedOpen<T>): Promise<SessionSnapshot | undefined> {
    const { signal } = options
    if (signal?.aborted === true) throw abortReason(signal)
    const opened = this.#open(id, options)
    return signal === undefined ? opened : untilAborted(opened, signal)
  }

  async #open(id: string, { create, signal, owner }: CheckedOpen<T>): Promise<SessionSnapshot | undefined> {
    const { store, loader, log } = this.#components
    for (let isFirst = true; ; isFirst = false) {
      const accessed = await store.access(id, { touches: true, reads: true, owner })
      if (isFirst && accessed.state === 'live') log.counters.hits += 1
      else if (isFirst) log.counters.misses += 1
      if (accessed.state === 'live') return accessed.snapshot
      if (signal?.aborted === true) return undefined
      this.#gate.assertOpen()
      const context = new AsyncResource('SessionOpening')
      const opened = await loader.materialize(id, { create, token: '', signal, owner, context })
      if (opened.state === 'created') return opened.snapshot
      if (opened.state === 'refused') throw notOwnerError()
      if (opened.state === 'absent') return undefined
    }
  }

  /** Creates a session; `undefined` if another one was created first. */
  async #create(
    id: string,
    create: CreateSession<T> | undefined,
    options: NewSessionOptions,
  ): Promise<SessionSnapshot | undefined> {
    const { store, loader, log } = this.#components
    const { canLoad, codec } = this.#components.options
    this.#gate.assertOpen()
    if (canLoad) throw needsOpenError('may have to be loaded')
    if (create === undefined) throw noFactoryError()
    const text = codec.encode(await loader.callFactory(id, create))
    this.#gate.assertOpen()
    const created = await store.create(id, { text, ...options })
    if (created.state === 'exists') return undefined
    log.created(created.snapshot)
    return created.snapshot
  }
}
