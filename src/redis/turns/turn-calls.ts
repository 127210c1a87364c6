import { realClock } from '../../core/time/clock.ts'
import { acceptRun, type RunHost } from '../../core/turns/accept-run.ts'
import type { RunOptions, Turn } from '../../core/turns/turn.ts'
import type { TurnCallInit } from '../../core/turns/turn-call.ts'
import type { TurnCounts } from '../../core/turns/turn-counts.ts'
import type { StreamSignals } from '../../core/turns/turn-stream.ts'
import { TurnTracer } from '../../core/turns/turn-tracer.ts'
import type { CallGate } from '../call-gate.ts'
import { checkRedisId } from '../redis-id.ts'
import type { RedisComponents } from '../wiring.ts'
import { RedisTurnRun } from './turn-run.ts'
import type { TurnScheduler } from './turn-scheduler.ts'

/** Calls of `run`, and of the turns that serve a stream. */
export class TurnCalls<T> implements RunHost<T, RedisTurnRun<T>> {
  readonly gate: CallGate<T>
  readonly #turns: TurnScheduler<T>
  readonly counts: TurnCounts
  readonly tracer: TurnTracer

  constructor({ turns, log }: RedisComponents<T>, gate: CallGate<T>) {
    this.gate = gate
    this.#turns = turns
    this.counts = turns.counts
    this.tracer = new TurnTracer(log.step.channels, realClock)
  }

  /** Starts a turn. `stream`: the signals of the stream that the turn serves. */
  run<R>(
    id: string,
    turn: Turn<T, R>,
    options: RunOptions<T> | undefined,
    stream?: StreamSignals,
  ): Promise<R | undefined> {
    return acceptRun(this, id, turn, options, stream)
  }

  checkId(id: string): string {
    return checkRedisId(id)
  }

  outerTurn(id: string): RedisTurnRun<T> | undefined {
    this.gate.admit()
    return this.#turns.outerTurn(id)
  }

  isRunning(id: string): boolean {
    return this.gate.state !== 'closed' && this.#turns.isRunning(id)
  }

  start(call: TurnCallInit<T> & { readonly outer: RedisTurnRun<T> | undefined }): void {
    const run = new RedisTurnRun<T>(call)
    this.#turns.start(run)
    if (run.phase === 'waiting') run.waitsSince = this.tracer.now()
  }
}
