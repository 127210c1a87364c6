import type { AsyncResource } from 'node:async_hooks'
import type { Timer } from './clock.ts'
import type { CreateSession } from './hooks.ts'
import type { Turn, WhenBusy } from './turn.ts'

/**
 * Where a call of `run` stands.
 *
 * - `waiting`: for the session, or for the turns before it
 * - `running`
 * - `cut`: the session is free of it, but the user's function has not settled yet
 * - `over`
 */
export type TurnPhase = 'waiting' | 'running' | 'cut' | 'over'

/** What a call of `run` begins with. */
export interface TurnCallInit<T> {
  readonly id: string
  readonly turn: Turn<T, unknown>
  readonly whenBusy: WhenBusy
  readonly create: boolean | CreateSession<T>
  readonly outer: TurnCall<T> | undefined
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** One call of `run`, from the call until its turn has settled. */
export class TurnCall<T> {
  readonly id: string
  readonly turn: Turn<T, unknown>
  readonly whenBusy: WhenBusy
  readonly create: boolean | CreateSession<T>
  /** The running turn that this one is a part of. */
  readonly outer: TurnCall<T> | undefined
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly controller = new AbortController()
  phase: TurnPhase = 'waiting'
  /** Why it was cut, for what is nested in it. */
  cutReason: unknown = undefined
  #isSettled = false
  timer: Timer | undefined = undefined
  /** The caller's async context, where the turn has to wait. */
  context: AsyncResource | undefined = undefined
  readonly #unlisten: (() => void)[] = []

  constructor(call: TurnCallInit<T>) {
    this.id = call.id
    this.turn = call.turn
    this.whenBusy = call.whenBusy
    this.create = call.create
    this.outer = call.outer
    this.resolve = call.resolve
    this.reject = call.reject
  }

  /** Whether it runs beside others and excludes nobody. */
  get joins(): boolean {
    return this.outer !== undefined || this.whenBusy === 'join'
  }

  /** Calls `fn` when `signal` aborts, for as long as the run is not settled. */
  listen(signal: AbortSignal, fn: () => void): void {
    if (signal.aborted) {
      fn()
      return
    }
    signal.addEventListener('abort', fn, { once: true })
    this.#unlisten.push(() => signal.removeEventListener('abort', fn))
  }

  succeed(result: unknown): void {
    this.#close('over')
    if (this.#isSettled) return
    this.#isSettled = true
    this.resolve(result)
  }

  /** What the function does after its run was settled changes nothing. */
  fail(error: unknown, phase: 'cut' | 'over'): void {
    this.#close(phase)
    if (this.#isSettled) return
    this.#isSettled = true
    this.reject(error)
  }

  #close(phase: TurnPhase): void {
    this.phase = phase
    this.timer?.cancel()
    for (const unlisten of this.#unlisten.splice(0)) unlisten()
  }
}
