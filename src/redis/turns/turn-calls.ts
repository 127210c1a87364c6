import { abortReason } from '../../core/async/abort-listeners.ts'
import { checkRun } from '../../core/options/check-run.ts'
import type { RunOptions, Turn } from '../../core/turns/turn.ts'
import type { StreamSignals } from '../../core/turns/turn-stream.ts'
import type { Gate } from '../gate.ts'
import { checkRedisId } from '../redis-id.ts'
import { RedisTurnRun } from './turn-run.ts'
import type { TurnScheduler } from './turn-scheduler.ts'

/** Calls of `run`, and of the turns that serve a stream. */
export class TurnCalls<T> {
  readonly #turns: TurnScheduler<T>
  readonly #gate: Gate

  constructor(turns: TurnScheduler<T>, gate: Gate) {
    this.#turns = turns
    this.#gate = gate
  }

  /** Starts a turn. `stream`: the signals of the stream that the turn serves. */
  run<R>(
    id: string,
    turn: Turn<T, R>,
    options: RunOptions<T> | undefined,
    stream?: StreamSignals,
  ): Promise<R | undefined> {
    return new Promise<R | undefined>((resolve, reject) => {
      const { whenBusy, waitMs, signal, create } = checkRun(checkRedisId(id), turn, options)
      if (signal?.aborted === true) throw abortReason(signal)
      const outer = this.#turns.outerTurn(id)
      const isOpen = this.#gate.admit()
      // What belongs to a running turn is admitted while the registry closes.
      const joins = outer !== undefined || (isOpen && whenBusy === 'join' && this.#turns.isRunning(id))
      if (!joins) this.#gate.assertOpen()
      const settle = { resolve: resolve as (result: unknown) => void, reject }
      const { counts } = this.#turns
      const graceSignal = stream?.graceSignal
      const run = new RedisTurnRun<T>({ id, turn, whenBusy, create, outer, counts, graceSignal, ...settle })
      const signals = [signal, stream?.leaveSignal].filter((given) => given !== undefined)
      this.#turns.start(run, signals, waitMs)
    })
  }
}
