import { AsyncResource } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import { onAbort } from '../async/abort-listeners.ts'
import { isAsyncGenerator } from '../async/async-generator.ts'
import { isSessionRegistryError } from '../errors/session-registry-error.ts'
import { generatorReturnedError } from '../errors/turn-errors.ts'
import type { CreateSession } from '../hooks.ts'
import type { Session } from '../session.ts'
import type { Timer } from '../time/clock.ts'
import type { Turn, WhenBusy } from './turn.ts'
import { TurnCounts } from './turn-counts.ts'
import { ScopedWork } from './turn-scope.ts'

/**
 * Where a call of `run` stands.
 *
 * - `waiting`: for the session, or for the turns before it
 * - `running`
 * - `aborted`: the session is free of it, but the user's function has not settled yet
 * - `settled`
 */
export type TurnPhase = 'waiting' | 'running' | 'aborted' | 'settled'

/** What a call of `run` begins with. */
export interface TurnCallInit<T> {
  readonly id: string
  readonly turn: Turn<T, unknown>
  readonly whenBusy: WhenBusy
  readonly create: boolean | CreateSession<T>
  readonly outer: TurnCall<T> | undefined
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** Aborts when its grace is to begin: for a stream whose clean-up has begun. */
  readonly graceSignal?: AbortSignal | undefined
  /** Where it is counted while it waits and runs. */
  readonly counts?: TurnCounts
}

/** What becomes of the user's function. */
export interface TurnOutcome {
  onFulfilled(result: unknown): void
  onRejected(error: unknown): void
}

/** One call of `run`, from the call until its turn has settled. */
export class TurnCall<T> extends ScopedWork {
  readonly id: string
  turn: Turn<T, unknown>
  readonly whenBusy: WhenBusy
  readonly create: boolean | CreateSession<T>
  /** The running turn that this one is a part of. */
  readonly outer: TurnCall<T> | undefined
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
  readonly graceSignal: AbortSignal | undefined
  readonly controller = new AbortController()
  /** Why it was aborted, for what is nested in it. */
  abortReason: unknown = undefined
  /** Its signal has aborted, and its grace has begun. */
  isStopping = false
  /** Bounds its wait, then its time, then its grace. */
  timer: Timer | undefined = undefined
  /** The caller's async context, in which the turn is called. */
  context: AsyncResource | undefined = new AsyncResource('SessionTurn')
  /**
   * The same once more, for the turn's signal. While the turn is in its first steps, what it sets with an
   * `AsyncLocalStorage` is set on the resource in which it was called.
   */
  #signalContext: AsyncResource | undefined = new AsyncResource('SessionTurnSignal')
  /** What the user's function was called with, and what is to be told of it; until it has settled. */
  #invoked: { readonly session: Session<T>; readonly outcome: TurnOutcome } | undefined = undefined
  readonly #counts: TurnCounts
  readonly #unlisten: (() => void)[] = []
  #phase: TurnPhase = 'waiting'
  #isSettled = false

  constructor(call: TurnCallInit<T>) {
    super()
    this.id = call.id
    this.turn = call.turn
    this.whenBusy = call.whenBusy
    this.create = call.create
    this.outer = call.outer
    this.resolve = call.resolve
    this.reject = call.reject
    this.graceSignal = call.graceSignal
    this.#counts = call.counts ?? new TurnCounts()
    this.#count(1)
  }

  get phase(): TurnPhase {
    return this.#phase
  }

  set phase(phase: TurnPhase) {
    this.#count(-1)
    this.#phase = phase
    this.#count(1)
  }

  /** Whether it runs beside others and excludes nobody. */
  get joins(): boolean {
    return this.outer !== undefined || this.whenBusy === 'join'
  }

  /** Calls `fn` when `signal` aborts, for as long as the run is not settled. */
  listen(signal: AbortSignal, onAborted: () => void): void {
    this.#unlisten.push(onAbort(signal, onAborted))
  }

  /**
   * Aborts with every turn that this one is a part of: one in between may have settled, and passes nothing
   * on.
   */
  listenToOuter(): void {
    for (let { outer } = this as TurnCall<T>; outer !== undefined; outer = outer.outer) {
      const { signal } = outer.controller
      this.listen(signal, () => this.abort(signal.reason))
    }
  }

  /** Aborts the signal of the turn, in the turn's own async context. */
  abort(reason: unknown): void {
    // The signal keeps its reason. Until the stack of an error is written down, it keeps every function that
    // was on it.
    if (isSessionRegistryError(reason)) void reason.stack
    const abort = () => this.reenter(() => this.controller.abort(reason))
    if (this.#signalContext === undefined) abort()
    else this.#signalContext.runInAsyncScope(abort)
  }

  /**
   * Calls the user's function, in the async context of the caller of `run`, which also is told the outcome.
   *
   * An error that is made in the function keeps the functions on its stack, with what they have captured,
   * until somebody reads its stack. So what is on the way there captures neither the session nor the outcome.
   */
  invoke(owner: object, session: Session<T>, outcome: TurnOutcome): void {
    // A turn may ask many models and tools at once, each of which listens to its signal: that is no leak.
    setMaxListeners(0, this.controller.signal)
    this.#invoked = { session, outcome }
    if (this.context === undefined) this.#invoke(owner)
    else this.context.runInAsyncScope(this.#invoke, this, owner)
  }

  #invoke(owner: object): void {
    let result: unknown
    try {
      result = this.runIn(owner, this.id, () => this.#callTurn())
    } catch (error) {
      result = Promise.reject(error)
    }
    if (isAsyncGenerator(result)) result = Promise.reject(generatorReturnedError())
    Promise.resolve(result).then(
      (value) => {
        if (isAsyncGenerator(value)) this.#takeOutcome()?.onRejected(generatorReturnedError())
        else this.#takeOutcome()?.onFulfilled(value)
      },
      (error) => this.#takeOutcome()?.onRejected(error),
    )
  }

  #callTurn(): unknown {
    const { turn } = this
    const { session } = this.#invoked ?? {}
    return turn(session as Session<T>, this.controller.signal)
  }

  #takeOutcome(): TurnOutcome | undefined {
    const { outcome } = this.#invoked ?? {}
    this.#invoked = undefined
    return outcome
  }

  succeed(result: unknown): void {
    const { resolve } = this
    this.#close('settled')
    if (this.#isSettled) return
    this.#isSettled = true
    resolve(result)
  }

  /** What the function does after its run was settled changes nothing. */
  fail(error: unknown, phase: 'aborted' | 'settled'): void {
    const { reject } = this
    this.#close(phase)
    if (this.#isSettled) return
    this.#isSettled = true
    reject(error)
  }

  #close(phase: TurnPhase): void {
    this.phase = phase
    this.timer?.cancel()
    for (const unlisten of this.#unlisten.splice(0)) unlisten()
    if (phase === 'settled') this.#forget()
  }

  /**
   * Runs that are nested in it, and errors whose frames are kept, may hold on to it: they are to keep nothing
   * else.
   */
  #forget(): void {
    this.endScope()
    this.turn = spent
    this.resolve = spent
    this.reject = spent
    this.abortReason = undefined
    this.context = undefined
    this.#signalContext = undefined
  }

  #count(change: 1 | -1): void {
    if (this.#phase === 'waiting') this.#counts.waiting += change
    else if (this.#phase === 'running') this.#counts.running += change
  }
}

/** Stands for functions that are called no more. */
function spent(): void {}
