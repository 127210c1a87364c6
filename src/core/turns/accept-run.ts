import { abortReason } from '../async/abort-listeners.ts'
import type { Gate } from '../gate.ts'
import { checkRun } from '../options/check-run.ts'
import type { RunOptions, Turn } from './turn.ts'
import type { TurnCall, TurnCallInit } from './turn-call.ts'
import type { TurnCounts } from './turn-counts.ts'
import type { StreamSignals } from './turn-stream.ts'
import type { TurnTracer } from './turn-tracer.ts'

/** The part of a registry that {@link acceptRun} uses. Its calls of `run` are of class `C`. */
export interface RunHost<T, C extends TurnCall<T>> {
  readonly gate: Gate<T>
  readonly counts: TurnCounts
  readonly tracer: TurnTracer
  /** @throws SessionRegistryError `ERR_SESSION_ID_INVALID` */
  checkId(id: string): string
  /**
   * @throws SessionRegistryError `ERR_SESSION_REENTRANT` in a hook of the id; the reason of the abort in an
   *   aborted turn
   */
  outerTurn(id: string): C | undefined
  /** Whether a turn of the id is running here, which a run may join while the registry closes. */
  isRunning(id: string): boolean
  /** Starts a call. Errors from here on reject its promise. */
  start(call: TurnCallInit<T> & { readonly outer: C | undefined }): void
}

/**
 * Accepts a call of `run`, also one that serves a stream: checks its arguments, finds the turn that it is
 * nested in, and starts it. Returns the promise of its result, which any error rejects.
 */
export function acceptRun<T, C extends TurnCall<T>, R>(
  host: RunHost<T, C>,
  id: string,
  turn: Turn<T, R>,
  options: RunOptions<T> | undefined,
  stream?: StreamSignals,
): Promise<R | undefined> {
  return new Promise<R | undefined>((resolve, reject) => {
    const { whenBusy, waitMs, signal, create, owner } = checkRun(host.checkId(id), turn, options)
    if (signal?.aborted === true) throw abortReason(signal)
    const outer = host.outerTurn(id)
    // What belongs to a running turn is accepted while the registry closes.
    const joinsRunning = outer !== undefined || (whenBusy === 'join' && host.isRunning(id))
    if (!joinsRunning) host.gate.assertOpen()
    host.start({
      id,
      turn,
      whenBusy,
      waitMs,
      create,
      owner,
      outer,
      callerSignal: signal,
      stream,
      resolve: resolve as (result: unknown) => void,
      reject,
      counts: host.counts,
      tracer: host.tracer,
    })
  })
}
