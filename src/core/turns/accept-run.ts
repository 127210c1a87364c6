import { abortReason } from '../async/abort-listeners.ts'
import type { Gate } from '../gate.ts'
import { checkRun } from '../options/check-run.ts'
import type { RunOptions, Turn } from './turn.ts'
import type { TurnCall, TurnCallInit } from './turn-call.ts'
import type { StreamSignals } from './turn-stream.ts'

/** What {@link acceptRun} needs of a registry, whose calls of `run` are of class `C`. */
export interface RunHost<T, C extends TurnCall<T>> {
  readonly gate: Gate<T>
  /** @throws SessionRegistryError `ERR_SESSION_ID_INVALID` */
  checkId(id: string): string
  /** @throws SessionRegistryError `ERR_SESSION_REENTRANT`, and why the turn was aborted, if it was */
  outerTurn(id: string): C | undefined
  /** Whether a turn of the id runs here, which a run may join while the registry closes. */
  isRunning(id: string): boolean
  /** Starts a call. What is wrong from here on rejects its promise. */
  start(call: TurnCallInit<T> & { readonly outer: C | undefined }): void
}

/**
 * Accepts a call of `run`, or one by which a stream is read: checks its arguments, finds the turn that it is nested in,
 * and starts it. Returns the promise of its result, which whatever is wrong rejects.
 */
export function acceptRun<T, C extends TurnCall<T>, R>(
  host: RunHost<T, C>,
  id: string,
  turn: Turn<T, R>,
  options: RunOptions<T> | undefined,
  stream?: StreamSignals,
): Promise<R | undefined> {
  return new Promise<R | undefined>((resolve, reject) => {
    const { whenBusy, waitMs, signal, create } = checkRun(host.checkId(id), turn, options)
    if (signal?.aborted === true) throw abortReason(signal)
    const outer = host.outerTurn(id)
    // What belongs to a running turn is still let in while the registry closes.
    const joinsRunning = outer !== undefined || (whenBusy === 'join' && host.isRunning(id))
    if (!joinsRunning) host.gate.assertOpen()
    const signals = [signal, stream?.leaveSignal].filter((given) => given !== undefined)
    const graceSignal = stream?.graceSignal
    const settle = { resolve: resolve as (result: unknown) => void, reject }
    host.start({ id, turn, whenBusy, waitMs, create, outer, signals, graceSignal, ...settle })
  })
}
