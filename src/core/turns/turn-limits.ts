import { abortReason } from '../async/abort-listeners.ts'
import { turnTimeoutError } from '../errors/turn-errors.ts'
import type { TurnCall } from './turn-call.ts'
import type { Watchdog } from './watchdog.ts'

/** What of a call of `run` its limits use. */
export type LimitedTurn = Pick<
  TurnCall<unknown>,
  'phase' | 'isStopping' | 'timer' | 'graceSignal' | 'listen' | 'abort'
>

/** What a registry does about turns that do not end in time. */
export interface TurnLimitHooks<C> {
  /** `maxTurnMs` is over. */
  onTimeout(): void
  /** Settles the run from outside, and frees its session: the grace is over. */
  abortTurn(call: C, error: unknown): void
}

/**
 * Ends turns that take too long, in two steps: the signal aborts, and the turn keeps its session for
 * `turnGraceMs` to finish its work in order; only then it is aborted.
 */
export class TurnLimits<C extends LimitedTurn> {
  readonly #watchdog: Watchdog
  readonly #maxTurnMs: number
  readonly #turnGraceMs: number
  readonly #hooks: TurnLimitHooks<C>

  constructor(
    watchdog: Watchdog,
    limits: { readonly maxTurnMs: number; readonly turnGraceMs: number },
    hooks: TurnLimitHooks<C>,
  ) {
    this.#watchdog = watchdog
    this.#maxTurnMs = limits.maxTurnMs
    this.#turnGraceMs = limits.turnGraceMs
    this.#hooks = hooks
  }

  /** Bounds a turn that begins now. */
  begin(call: C): void {
    call.timer?.cancel()
    call.timer = this.#watchdog.start(() => {
      this.#hooks.onTimeout()
      this.stop(call, turnTimeoutError(this.#maxTurnMs))
    }, this.#maxTurnMs)
    this.beginNested(call)
  }

  /** Bounds a turn that begins now inside another one, the time of which is its own. */
  beginNested(call: C): void {
    const { graceSignal } = call
    if (graceSignal !== undefined) call.listen(graceSignal, () => this.stop(call, abortReason(graceSignal)))
  }

  /**
   * Aborts the signal of a turn with `error`; the turn is aborted with it if it does not settle within the
   * grace.
   */
  stop(call: C, error: unknown): void {
    if (call.isStopping || call.phase === 'waiting' || call.phase === 'settled') return
    call.isStopping = true
    call.timer?.cancel()
    // First, so that what the turn does about its signal already finds the grace begun.
    call.timer =
      this.#turnGraceMs === 0
        ? undefined
        : this.#watchdog.start(() => this.#hooks.abortTurn(call, error), this.#turnGraceMs)
    call.abort(error)
    if (this.#turnGraceMs === 0) this.#hooks.abortTurn(call, error)
  }
}
