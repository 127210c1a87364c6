import { AsyncResource } from 'node:async_hooks'
import { abortReason, allowListeners, onAbort } from '../async/abort-listeners.ts'
import { isAsyncGenerator } from '../async/async-generator.ts'
import { isSessionRegistryError } from '../errors/session-registry-error.ts'
import { generatorReturnedError } from '../errors/turn-errors.ts'
import type { CreateSession } from '../hooks.ts'
import type { Session } from '../session.ts'
import type { ListedTimeout } from '../time/timeout-list.ts'
import type { Trace } from '../watching/trace.ts'
import type { Turn, WhenBusy } from './turn.ts'
import { TurnCounts } from './turn-counts.ts'
import { ScopedWork } from './turn-scope.ts'
import type { StreamSignals } from './turn-stream.ts'
import type { TurnTracer } from './turn-tracer.ts'

/*
 * A turn, as both registries have it:
 *
 *   turn.ts           the public types          turn-stream.ts   a turn that yields, read by its caller
 *   accept-run.ts     the checks that a call of `run` passes first
 *   turn-call.ts      one call of `run`: its state, signal, promise and async context
 *   turn-scope.ts     which turn or hook the running code is part of (AsyncLocalStorage), for outer-turn.ts
 *   turn-limits.ts    `maxTurnMs`, then the grace, by the timers of watchdog.ts
 *   turn-tracer.ts    the tracing channel `turn`       slow-turns.ts    log lines after `slowTurnMs`
 *   turn-counts.ts    how many wait and run, for `stats()`
 */

/**
 * The state of a call of `run`.
 *
 * - `waiting`: for the session, or for the turns before it
 * - `running`
 * - `aborted`: its session is free again, but the user's function has not settled
 * - `settled`
 */
export type TurnPhase = 'waiting' | 'running' | 'aborted' | 'settled'

/** The properties of a new call of `run`. */
export interface TurnCallInit<T> {
  readonly id: string
  readonly turn: Turn<T, unknown>
  readonly whenBusy: WhenBusy
  readonly create: boolean | CreateSession<T>
  /** To whom the session has to belong; `undefined` where that is not checked. */
  readonly owner?: string | undefined
  readonly outer: TurnCall<T> | undefined
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** The longest time until it begins, in milliseconds; without limit by default. */
  readonly waitMs?: number
  /** When it aborts, a waiting call leaves the queue, and the signal of a running one aborts. */
  readonly callerSignal?: AbortSignal | undefined
  /** The signals of the stream that it serves. */
  readonly stream?: StreamSignals | undefined
  /** Counts it while it waits and runs. */
  readonly counts?: TurnCounts
  /** Publishes it; one that the registry makes for itself has none. */
  readonly tracer?: TurnTracer
}

/** Receives the outcome of the user's function. */
export interface TurnOutcome<C> {
  onFulfilled(call: C, result: unknown): void
  onRejected(call: C, error: unknown): void
}

/** One call of `run`, from the call until its turn has settled. */
export class TurnCall<T> extends ScopedWork {
  readonly id: string
  turn: Turn<T, unknown>
  readonly whenBusy: WhenBusy
  readonly create: boolean | CreateSession<T>
  readonly owner: string | undefined
  /** The running turn that this one is nested in. */
  readonly outer: TurnCall<T> | undefined
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
  readonly waitMs: number
  readonly controller = new AbortController()
  /** The reason of the abort, for nested runs. */
  abortReason: unknown = undefined
  /** Whether its signal has aborted and its grace has begun. */
  isStopping = false
  /** Whether its function has succeeded, and its session is being saved. */
  isSaving = false
  /** Bounds its wait, then its run time, then its grace. */
  timer: ListedTimeout | undefined = undefined
  slowTimeout: ListedTimeout | undefined = undefined
  /** Monotonic time at which it began; 0 before. */
  startedAt = 0
  /** Monotonic time from which it has waited; `undefined` if it began at once. */
  waitsSince: number | undefined = undefined
  /** The async context of the caller, in which the turn is called. */
  context: AsyncResource | undefined = new AsyncResource('SessionTurn')
  /**
   * The async context of the caller, for the turn's signal and outcome. A resource of its own: up to Node 22,
   * an `AsyncLocalStorage` that the turn sets before its first `await` is set on the resource in which it was
   * called.
   */
  #callerContext: AsyncResource | undefined = new AsyncResource('SessionTurnSignal')
  /** The session that the user's function has, and the receiver of its outcome; until it settles. */
  #session: Session<T> | undefined = undefined
  #outcome: TurnOutcome<this> | undefined = undefined
  readonly #callerSignal: AbortSignal | undefined
  readonly #stream: StreamSignals | undefined
  readonly #counts: TurnCounts
  readonly #tracer: TurnTracer | undefined
  /** From the begin of the turn until its run settles, if something subscribes. */
  #trace: Trace | undefined = undefined
  #unlisten: (() => void)[] | undefined = undefined
  #phase: TurnPhase = 'waiting'
  #isSettled = false

  constructor(call: TurnCallInit<T>) {
    super()
    this.id = call.id
    this.turn = call.turn
    this.whenBusy = call.whenBusy
    this.create = call.create
    this.owner = call.owner
    this.outer = call.outer
    this.resolve = call.resolve
    this.reject = call.reject
    this.waitMs = call.waitMs ?? Number.POSITIVE_INFINITY
    this.#callerSignal = call.callerSignal
    this.#stream = call.stream
    this.#counts = call.counts ?? new TurnCounts()
    this.#tracer = call.tracer
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

  /** Whether it runs beside other turns and excludes no one. */
  get joins(): boolean {
    return this.outer !== undefined || this.whenBusy === 'join'
  }

  /** Aborts when the grace should begin: for a stream whose clean-up has begun. */
  get graceSignal(): AbortSignal | undefined {
    return this.#stream?.graceSignal
  }

  /** Calls `onAborted` when `signal` aborts, until the run settles. */
  listen(signal: AbortSignal, onAborted: () => void): void {
    this.#unlisten ??= []
    this.#unlisten.push(onAbort(signal, onAborted))
  }

  /**
   * Listens to the signals of its caller, and of every turn that it is nested in: one in between may have
   * settled, and forwards nothing. `onCallerAbort` receives the reason of the caller's signal.
   */
  listenToCaller(onCallerAbort: (reason: unknown) => void): void {
    this.#forward(this.#callerSignal, onCallerAbort)
    this.#forward(this.#stream?.leaveSignal, onCallerAbort)
    for (let { outer } = this as TurnCall<T>; outer !== undefined; outer = outer.outer) {
      const { signal } = outer.controller
      this.listen(signal, () => this.abort(signal.reason))
    }
  }

  #forward(signal: AbortSignal | undefined, onCallerAbort: (reason: unknown) => void): void {
    if (signal !== undefined) this.listen(signal, () => onCallerAbort(abortReason(signal)))
  }

  /** Aborts the signal of the turn, in the turn's own async context. */
  abort(reason: unknown): void {
    // The signal keeps its reason, and an error keeps the functions on its stack until the stack is
    // formatted.
    if (isSessionRegistryError(reason)) void reason.stack
    const abort = () => this.reenter(() => this.controller.abort(reason))
    if (this.#callerContext === undefined) abort()
    else this.#callerContext.runInAsyncScope(abort)
  }

  /**
   * Calls the user's function and receives its outcome in the async context of the caller of `run`.
   *
   * An error that is created in the function keeps the functions on its stack, with their captured variables,
   * until its stack is formatted. So no function on the way captures the session or the receiver.
   */
  invoke(owner: object, session: Session<T>, outcome: TurnOutcome<this>): void {
    // Many model and tool calls of a turn may listen to its signal: that is not a leak.
    allowListeners(this.controller.signal)
    this.#session = session
    this.#outcome = outcome
    this.#trace = this.#tracer?.begin(this, session)
    const callerContext = this.#callerContext
    let result: unknown
    try {
      result = this.context?.runInAsyncScope(this.#call, this, owner)
    } catch (error) {
      result = Promise.reject(error)
    }
    callerContext?.runInAsyncScope(this.#follow, this, result)
  }

  #call(owner: object): unknown {
    const trace = this.#trace
    // What subscribes to the trace is not part of the turn.
    if (trace !== undefined) return trace.call(() => this.runIn(owner, this.id, () => this.#callTurn()))
    this.enterScope(owner, this.id)
    return this.#callTurn()
  }

  #follow(returned: unknown): void {
    const result = isAsyncGenerator(returned) ? Promise.reject(generatorReturnedError()) : returned
    Promise.resolve(result).then(
      (value) => {
        if (isAsyncGenerator(value)) this.#takeOutcome()?.onRejected(this, generatorReturnedError())
        else this.#takeOutcome()?.onFulfilled(this, value)
      },
      (error) => this.#takeOutcome()?.onRejected(this, error),
    )
  }

  #callTurn(): unknown {
    const { turn } = this
    return turn(this.#session as Session<T>, this.controller.signal)
  }

  #takeOutcome(): TurnOutcome<this> | undefined {
    const outcome = this.#outcome
    this.#session = undefined
    this.#outcome = undefined
    return outcome
  }

  /** Ends the part of the turn that is the user's: its limits, its signals and its scope. */
  beginSaving(): void {
    this.isSaving = true
    this.#unbind()
    this.endScope()
  }

  succeed(result: unknown): void {
    const { resolve } = this
    this.#close('settled')
    if (this.#isSettled) return
    this.#isSettled = true
    this.#trace?.succeed()
    this.#trace = undefined
    resolve(result)
  }

  /** Rejects the run. What its function does afterwards changes nothing. */
  fail(error: unknown, phase: 'aborted' | 'settled'): void {
    const { reject } = this
    this.#close(phase)
    if (this.#isSettled) return
    this.#isSettled = true
    this.#trace?.fail(error)
    this.#trace = undefined
    reject(error)
  }

  #close(phase: TurnPhase): void {
    this.phase = phase
    this.slowTimeout?.cancel()
    this.#unbind()
    if (phase === 'settled') this.#forget()
  }

  #unbind(): void {
    this.timer?.cancel()
    const unlisten = this.#unlisten
    if (unlisten === undefined) return
    this.#unlisten = undefined
    for (const stop of unlisten) stop()
  }

  /** Drops all references: nested runs, and errors with their frames, may keep this object. */
  #forget(): void {
    this.endScope()
    this.turn = spent
    this.resolve = spent
    this.reject = spent
    this.abortReason = undefined
    this.context = undefined
    this.#callerContext = undefined
  }

  #count(change: 1 | -1): void {
    if (this.#phase === 'waiting') this.#counts.waiting += change
    else if (this.#phase === 'running') this.#counts.running += change
  }
}

/** Replaces functions that are not called any more. */
function spent(): void {}
