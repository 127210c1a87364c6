import type { Gate } from '../../core/gate.ts'
import { checkId } from '../../core/options/validate.ts'
import { acceptRun, type RunHost } from '../../core/turns/accept-run.ts'
import { outerTurn } from '../../core/turns/outer-turn.ts'
import type { RunOptions, Turn } from '../../core/turns/turn.ts'
import type { TurnCallInit } from '../../core/turns/turn-call.ts'
import type { TurnCounts } from '../../core/turns/turn-counts.ts'
import type { StreamSignals } from '../../core/turns/turn-stream.ts'
import { TurnTracer } from '../../core/turns/turn-tracer.ts'
import { usersOf } from '../session/session-users.ts'
import { noSlot } from '../table/session-table.ts'
import type { Components } from '../wiring.ts'
import { TurnRun } from './turn-run.ts'

/** Calls of `run`, and of the turns that serve a stream. */
export class TurnCalls<T> implements RunHost<T, TurnRun<T>> {
  readonly gate: Gate<T>
  readonly #owner: object
  readonly #components: Components<T>
  readonly counts: TurnCounts
  readonly tracer: TurnTracer

  constructor(owner: object, components: Components<T>) {
    this.gate = components.gate
    this.#owner = owner
    this.#components = components
    this.counts = components.turns.counts
    this.tracer = new TurnTracer(components.step.channels, components.lifecycle.clock)
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
    return checkId(id)
  }

  outerTurn(id: string): TurnRun<T> | undefined {
    return outerTurn<TurnRun<T>, T>(this.#owner, id)
  }

  isRunning(id: string): boolean {
    const { table } = this.#components
    const slot = table.find(id)
    return slot !== noSlot && usersOf(table.recordOf(slot))?.hasTurn === true
  }

  start(call: TurnCallInit<T> & { readonly outer: TurnRun<T> | undefined }): void {
    const { turns, step } = this.#components
    const run = new TurnRun<T>(call)
    step.run(() => turns.start(run))
    if (run.phase === 'waiting') run.waitsSince = this.tracer.now()
  }
}
