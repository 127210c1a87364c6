import type { TimerHost } from '../async/contained-timer.ts'
import { logLines } from '../events/log-lines.ts'
import { type ListedTimeout, TimeoutList } from '../time/timeout-list.ts'
import type { WhenBusy } from './turn.ts'
import type { TurnPhase } from './turn-call.ts'

/** The part of a call of `run` that is watched. */
export interface WatchedTurn {
  readonly id: string
  readonly phase: TurnPhase
  readonly whenBusy: WhenBusy
  readonly outer: object | undefined
  /** Its wait for the line of its present phase. */
  slowTimeout: ListedTimeout | undefined
}

/**
 * The log lines of turns that wait or run for longer than `slowTurnMs`, one of each per turn.
 *
 * Without a logger that writes `warn`, nothing is watched. A nested turn is part of its outer one.
 */
export class SlowTurns {
  readonly #host: TimerHost
  readonly #list: TimeoutList<WatchedTurn>
  readonly #slowTurnMs: number

  constructor(host: TimerHost, slowTurnMs: number) {
    this.#host = host
    this.#slowTurnMs = slowTurnMs
    this.#list = new TimeoutList<WatchedTurn>(host, {
      durationMs: slowTurnMs,
      failure: 'a turn could not be timed',
      onDue: (turn, lastedMs) => this.#log(turn, lastedMs),
    })
  }

  /** Whether a turn that begins now is watched. */
  get isOn(): boolean {
    return this.#slowTurnMs !== Number.POSITIVE_INFINITY && this.#host.events.isLogged('warn')
  }

  /**
   * Watches a turn from now on: its wait, or its run in place of its wait. `begunAt`: the present time, if it
   * was just read.
   */
  watch(turn: WatchedTurn, begunAt?: number): void {
    turn.slowTimeout?.cancel()
    turn.slowTimeout = turn.outer === undefined && this.isOn ? this.#list.add(turn, begunAt) : undefined
  }

  #log({ id, phase, whenBusy }: WatchedTurn, lastedMs: number): void {
    const kind = phase === 'waiting' ? logLines.turnWaiting : logLines.turnRunning
    this.#host.events.log(kind.line(id, Math.round(lastedMs), whenBusy))
  }
}
