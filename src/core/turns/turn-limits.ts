import { abortReason } from '../async/abort-listeners.ts'
import { turnTimeoutError } from '../errors/turn-errors.ts'
import type { TimeoutList } from '../time/timeout-list.ts'
import type { SlowTurns, WatchedTurn } from './slow-turns.ts'
import type { TurnCall } from './turn-call.ts'
import type { Watchdog } from './watchdog.ts'

/** The part of a call of `run` that its limits use. */
export type LimitedTurn = WatchedTurn &
  Pick<
    TurnCall<unknown>,
    'isStopping' | 'timer' | 'waitMs' | 'graceSignal' | 'startedAt' | 'listen' | 'abort'
  >

/** The reactions of a registry to turns that do not end in time. */
export interface TurnLimitHooks<C> {
  /** `maxTurnMs` has passed. */
  onTimeout(): void
  /** The grace has passed: settles the run and frees its session. */
  abortTurn(call: C, error: unknown): void
}

/**
 * The time limits of turns, in two steps: the signal aborts, and the turn keeps its session for `turnGraceMs`
 * to finish its work; then it is aborted.
 */
export class TurnLimits<C extends LimitedTurn> {
  readonly #watchdog: Watchdog
  readonly #running: TimeoutList<C>
  readonly #slowTurns: SlowTurns
  readonly #turnGraceMs: number
  readonly #hooks: TurnLimitHooks<C>
  #stopError: unknown

  constructor(
    watchdog: Watchdog,
    slowTurns: SlowTurns,
    limits: { readonly maxTurnMs: number; readonly turnGraceMs: number },
    hooks: TurnLimitHooks<C>,
  ) {
    this.#watchdog = watchdog
    this.#slowTurns = slowTurns
    this.#running = watchdog.newList((call) => {
      hooks.onTimeout()
      this.stop(call, turnTimeoutError(limits.maxTurnMs))
    })
    this.#turnGraceMs = limits.turnGraceMs
    this.#hooks = hooks
  }

  /** Whether {@link beginWait} does anything for a turn that has to wait. */
  limitsWait({ waitMs }: C): boolean {
    return waitMs !== Number.POSITIVE_INFINITY || this.#slowTurns.isOn
  }

  /** Bounds the wait of a turn that has to wait. */
  beginWait(call: C, onElapsed: () => void): void {
    if (call.phase !== 'waiting') return
    call.timer = this.#watchdog.start(onElapsed, call.waitMs)
    this.#slowTurns.watch(call)
  }

  /** Bounds a turn that begins now. */
  begin(call: C): void {
    call.startedAt = this.#watchdog.now()
    // 0 where the clock has failed: it is read again, and the failure is reported.
    const begunAt = call.startedAt || undefined
    call.timer?.cancel()
    call.timer = this.#running.add(call, begunAt)
    this.#slowTurns.watch(call, begunAt)
    this.beginNested(call)
    if (this.#stopError !== undefined) this.stop(call, this.#stopError)
  }

  /** Stops every turn that begins from now on: it joins one that is in its grace. */
  stopFromNowOn(error: unknown): void {
    // Without a grace they are aborted at once, and none begins.
    if (this.#turnGraceMs > 0) this.#stopError = error
  }

  /** Bounds a nested turn that begins now, within the limit of the outer one. */
  beginNested(call: C): void {
    const { graceSignal } = call
    if (graceSignal !== undefined) call.listen(graceSignal, () => this.stop(call, abortReason(graceSignal)))
  }

  /**
   * Aborts the signal of a turn with `error`; a turn that does not settle within the grace is aborted with
   * it.
   */
  stop(call: C, error: unknown): void {
    if (call.isStopping || call.phase === 'waiting' || call.phase === 'settled') return
    call.isStopping = true
    call.timer?.cancel()
    // First, so that the turn finds its grace begun when its signal aborts.
    call.timer =
      this.#turnGraceMs === 0
        ? undefined
        : this.#watchdog.start(() => this.#hooks.abortTurn(call, error), this.#turnGraceMs)
    call.abort(error)
    if (this.#turnGraceMs === 0) this.#hooks.abortTurn(call, error)
  }
}
