import {
  type Clock,
  type DeleteContext,
  type PutContext,
  SessionRegistry,
  type SessionRegistryOptions,
  type SessionStore,
  type StoreContext,
  type StoredSession,
} from 'session-registry'
import type { ManualClock } from 'session-registry/testing'
import { MemoryStore } from '../../../support/memory-store.ts'
import type { Random } from '../../../support/random.ts'
import type { Witness } from './witness.ts'

/** The back end that the processes of a program share. */
export class Backend {
  readonly store = new MemoryStore()
  /** Whether calls still fail and take their time. */
  isFaulty = true
  readonly random: Random
  readonly witness: Witness

  constructor(random: Random, witness: Witness) {
    this.random = random
    this.witness = witness
  }
}

/**
 * A process with a registry on the shared back end. One time in five a call of its store fails, before or
 * after its effect; some take longer than they may, and settle soon after their signal has aborted.
 *
 * After a crash its timers do not fire, its calls do not settle, and none has an effect.
 */
export class Process implements SessionStore {
  readonly registry: SessionRegistry<string[]>
  readonly name: string
  readonly #backend: Backend
  readonly #clock: ManualClock
  #isCrashed = false

  constructor(name: string, backend: Backend, clock: ManualClock, options: SessionRegistryOptions<string[]>) {
    this.name = name
    this.#backend = backend
    this.#clock = clock
    const own: Clock = {
      now: () => clock.now(),
      date: () => clock.date(),
      setTimeout: (fn, ms) => clock.setTimeout(() => this.#isCrashed || fn(), ms),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    }
    this.registry = new SessionRegistry<string[]>({ clock: own, create: () => [], store: this, ...options })
    this.registry.on('error', (error) => backend.witness.failed(error))
  }

  get isCrashed(): boolean {
    return this.#isCrashed
  }

  crash(): void {
    this.#isCrashed = true
  }

  /** Waits; for ever if the process crashes meanwhile. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimeout(() => this.#isCrashed || resolve(), ms)
    })
  }

  get(id: string, context: StoreContext): Promise<StoredSession | undefined> {
    return this.#call(context.signal, () => this.#backend.store.get(id, unaborted))
  }

  put(session: StoredSession, { signal, replaces }: PutContext): Promise<boolean> {
    return this.#call(signal, async () => {
      const isWritten = await this.#backend.store.put(session, { ...unaborted, replaces })
      if (isWritten) this.#backend.witness.wrote(this, session, replaces)
      return isWritten
    })
  }

  delete(id: string, { signal, replaces }: DeleteContext): Promise<void> {
    return this.#call(signal, async () => {
      await this.#backend.store.delete(id, { ...unaborted, ...(replaces === undefined ? {} : { replaces }) })
      if (replaces === undefined) this.#backend.witness.erased(this, id)
    })
  }

  async #call<R>(signal: AbortSignal, effect: () => Promise<R>): Promise<R> {
    if (this.#isCrashed) return never()
    const { random, isFaulty } = this.#backend
    if (!isFaulty) return effect()
    const fault = random.chance(0.2) ? random.pick(['before', 'after'] as const) : undefined
    const isEarly = random.chance(0.5)
    let result = isEarly && fault !== 'before' ? { value: await effect() } : undefined
    const ms = random.pick([0, 0, 0, 2, 10, 60, 400])
    if (ms > 0) await Promise.race([this.wait(ms), aborted(signal)])
    // A store settles soon after the abort, not at once.
    if (signal.aborted) await this.wait(random.below(20))
    if (this.#isCrashed) return never()
    const isGivenUp = signal.aborted && random.chance(0.5)
    if (result === undefined && fault !== 'before' && !isGivenUp) result = { value: await effect() }
    if (result === undefined || fault !== undefined || isGivenUp) throw new Error('the back end is away')
    return result.value
  }
}

const unaborted = { signal: new AbortController().signal }

function never(): Promise<never> {
  return new Promise(() => {})
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
