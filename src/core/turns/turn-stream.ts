import { abortError, abortReason, isAbortError, onAbort } from '../async/abort-listeners.ts'
import { isAsyncGenerator } from '../async/async-generator.ts'
import { LinkedQueue } from '../async/linked-queue.ts'
import { checkFunction, invalidOption } from '../options/validate.ts'
import type { Session } from '../session.ts'
import { nextLoopIteration } from '../time/clock.ts'
import type { StreamTurn, Turn } from './turn.ts'

/** The signals of a stream to its turn. */
export interface StreamSignals {
  /** Aborts when the reader leaves: a waiting turn leaves the queue, the signal of a running one aborts. */
  readonly leaveSignal: AbortSignal
  /**
   * Aborts when the stream ends because the signal of its turn aborted while nothing was read: the grace of
   * the turn begins.
   */
  readonly graceSignal: AbortSignal
}

/** Runs a turn, as `run` of a registry does. */
export type StartTurn<T> = (turn: Turn<T, unknown>, signals: StreamSignals) => Promise<unknown>

type Part<Y> = IteratorResult<Y, unknown>

/** A call of the reader that has not settled. */
interface Demand<Y> {
  readonly kind: 'next' | 'return' | 'throw'
  /** The argument of `return` or `throw`. */
  readonly given: unknown
  resolve(part: Part<Y>): void
  reject(error: unknown): void
}

interface Failure {
  readonly error: unknown
}

/**
 * An async generator that reads a turn which yields.
 *
 * An ordinary turn reads the user's generator on behalf of the reader. So every part of the generator runs in
 * the async context of the turn, and the turn ends when the generator does.
 */
export class TurnStream<T, Y> implements AsyncGenerator<Y, unknown, undefined> {
  #turn: StreamTurn<T, Y> | undefined
  #start: StartTurn<T> | undefined
  #state: 'new' | 'waiting' | 'running' | 'done' = 'new'
  /** In the order of the calls. The generator works for the first of them. */
  readonly #demands = new LinkedQueue<Demand<Y>>()
  readonly #leaving = new AbortController()
  readonly #grace = new AbortController()
  /** Why no more is read: the reader has left, or the signal aborted while nothing was being read. */
  #leftBy: 'reader' | 'abort' | undefined = undefined
  /** For the next call of `next`. */
  #failure: Failure | undefined = undefined
  /** For the `return` by which the reader left. */
  #cleanupFailure: Failure | undefined = undefined
  #wake: (() => void) | undefined = undefined

  constructor(turn: StreamTurn<T, Y>, start: StartTurn<T>) {
    this.#turn = turn
    this.#start = start
  }

  next(): Promise<Part<Y>> {
    const answer = this.#demand('next')
    if (this.#state === 'new') this.#begin()
    else if (this.#state === 'done') this.#settleDemands(undefined)
    return answer
  }

  return(value?: unknown): Promise<Part<Y>> {
    if (this.#isIdle) return this.#endUnread().then(async () => ({ done: true, value: await value }))
    const answer = this.#demand('return', value)
    this.#leave(abortError('The reader has left the stream'))
    return answer
  }

  throw(error: unknown): Promise<Part<Y>> {
    if (this.#isIdle) return this.#endUnread().then(() => Promise.reject(error))
    const answer = this.#demand('throw', error)
    // A generator that has not begun has no `yield` at which it could throw.
    if (this.#state === 'waiting') this.#leave(error)
    return answer
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** Whether it neither holds a session nor waits for one. */
  get #isIdle(): boolean {
    return this.#state === 'new' || this.#state === 'done'
  }

  async #endUnread(): Promise<void> {
    this.#failure = undefined
    this.#end()
  }

  #demand(kind: Demand<Y>['kind'], given?: unknown): Promise<Part<Y>> {
    return new Promise((resolve, reject) => {
      this.#demands.push({ kind, given, resolve, reject })
      this.#wake?.()
    })
  }

  #leave(reason: unknown): void {
    this.#leftBy = 'reader'
    this.#failure = undefined
    this.#leaving.abort(reason)
    this.#wake?.()
  }

  /** Handles an abort of the turn's signal. */
  #onAborted(signal: AbortSignal): void {
    if (this.#leftBy !== undefined || this.#demands.size > 0 || this.#state !== 'running') return
    const reason = abortReason(signal)
    this.#leftBy = 'abort'
    this.#failure = { error: reason }
    this.#wake?.()
    this.#grace.abort(reason)
  }

  #begin(): void {
    this.#state = 'waiting'
    this.#run().then(
      (value) => this.#onSettled(value, undefined),
      (error) => this.#onSettled(undefined, { error }),
    )
  }

  async #run(): Promise<unknown> {
    const turn = checkFunction('turn', this.#turn as StreamTurn<T, Y>)
    const signals = { leaveSignal: this.#leaving.signal, graceSignal: this.#grace.signal }
    return this.#start?.((session, signal) => this.#serve(turn, session, signal), signals)
  }

  /** The turn: reads the user's generator while there are calls of the reader. */
  async #serve(turn: StreamTurn<T, Y>, session: Session<T>, signal: AbortSignal): Promise<unknown> {
    this.#state = 'running'
    const parts: unknown = turn(session, signal)
    if (!isAsyncGenerator(parts)) throw invalidOption('turn', 'an async generator function', turn)
    const stopListening = onAbort(signal, () => this.#onAborted(signal))
    try {
      for (;;) {
        const demand = this.#currentDemand ?? (await this.#nextDemand(signal))
        if (demand === undefined) break
        const part = await (demand.kind === 'throw' ? parts.throw(demand.given) : parts.next())
        if (this.#leftBy !== undefined || this.#state !== 'running') break
        if (part.done === true) return part.value
        this.#demands.shift()?.resolve(part as Part<Y>)
      }
    } catch (error) {
      // After the reader has left, an error of what was being read is of no interest.
      if (this.#leftBy === undefined) throw error
    } finally {
      stopListening()
    }
    await this.#readToEnd(parts, signal)
    return undefined
  }

  get #currentDemand(): Demand<Y> | undefined {
    return this.#leftBy === undefined && this.#state === 'running' ? this.#demands.first : undefined
  }

  async #nextDemand(signal: AbortSignal): Promise<Demand<Y> | undefined> {
    while (this.#leftBy === undefined && this.#state === 'running' && this.#demands.size === 0) {
      // A reader that calls again at once may read what a turn yields after its signal has aborted.
      if (signal.aborted) nextLoopIteration(() => this.#onAborted(signal), { keepsAlive: true })
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    return this.#currentDemand
  }

  /** Runs the `finally` of the generator. What it yields is dropped. */
  async #readToEnd(parts: AsyncGenerator<unknown, unknown, undefined>, signal: AbortSignal): Promise<void> {
    try {
      let part = await parts.return(undefined)
      while (part.done !== true) part = await parts.next()
    } catch (error) {
      // What it awaits there may reject with the reason of the signal.
      if (error !== signal.reason && !isAbortError(error)) this.#cleanupFailure = { error }
    }
  }

  /** Handles the end of the run. */
  #onSettled(result: unknown, failure: Failure | undefined): void {
    const { aborted, reason } = this.#leaving.signal
    if (this.#leftBy === undefined) this.#failure = failure
    // A turn that leaves the queue because its reader left rejects with the reader's own reason.
    else if (failure !== undefined && !(aborted && failure.error === reason)) this.#cleanupFailure = failure
    const served = this.#state === 'running' ? this.#demands.first : undefined
    this.#end()
    this.#settleDemands(result, served)
  }

  /**
   * Settles calls of the reader after the end. `served` is the one that the generator worked for when it
   * ended.
   */
  #settleDemands(result: unknown, served?: Demand<Y>): void {
    let value = result
    for (const demand of this.#demands.takeAll()) {
      const { kind, given, resolve, reject } = demand
      let failure: Failure | undefined
      if (kind === 'return') {
        failure = this.#cleanupFailure
        this.#cleanupFailure = undefined
        value = given
      } else if (kind === 'throw' && demand !== served) {
        failure = { error: given }
      } else {
        failure = this.#failure
        this.#failure = undefined
      }
      if (failure === undefined) resolve({ done: true, value })
      else reject(failure.error)
      value = undefined
    }
  }

  #end(): void {
    this.#state = 'done'
    this.#turn = undefined
    this.#start = undefined
    this.#wake?.()
  }
}
