import { abortReason, onAbort } from '../core/async/abort-listeners.ts'
import { closedError } from '../core/errors/turn-errors.ts'
import type { CheckedAcquire, CheckedOpen } from '../core/options/call-options.ts'
import { checkId } from '../core/options/validate.ts'
import { outerTurn } from '../core/turns/outer-turn.ts'
import type { Operations } from './operations.ts'
import type { OpenRequest } from './pending-open.ts'
import type { Hold } from './session/hold.ts'
import { noSlot, type Slot } from './table/session-table.ts'
import type { TurnRun } from './turns/turn-run.ts'
import type { Components } from './wiring.ts'

/** What becomes of a call that opens a session. */
interface OpenOutcome<R> {
  /** Takes what the call is for from the session, in the very step in which it is in memory. */
  take(slot: Slot): R
  resolve(result: R | undefined): void
  reject(error: unknown): void
}

/** Calls that wait until a session is in memory, and take something from it. */
export class OpenCalls<T> {
  readonly #owner: object
  readonly #components: Components<T>
  readonly #operations: Operations<T>

  constructor(owner: object, components: Components<T>, operations: Operations<T>) {
    this.#owner = owner
    this.#components = components
    this.#operations = operations
  }

  /** The value in memory, else loaded, else created; waits where it has to. What is wrong at once is thrown. */
  open(
    id: string,
    options: CheckedOpen<T>,
    resolve: (value: T | undefined) => void,
    reject: (error: unknown) => void,
  ): void {
    const { table, lifecycle } = this.#components
    const take = (slot: Slot) => {
      table.touch(slot, lifecycle.clock.now())
      return table.valueOf(slot)
    }
    this.#open(id, options, { take, resolve, reject })
  }

  /** {@link open}, and a hold of the session in the same step. */
  acquire(
    id: string,
    options: CheckedAcquire<T>,
    resolve: (hold: Hold<T> | undefined) => void,
    reject: (error: unknown) => void,
  ): void {
    const { turns, table, shutdown } = this.#components
    if (shutdown !== undefined) throw closedError()
    const take = (slot: Slot) => turns.hold(table.recordOf(slot), options.maxMs)
    this.#open(id, options, { take, resolve, reject })
  }

  #open<R>(id: string, { create, signal }: CheckedOpen<T>, { take, resolve, reject }: OpenOutcome<R>): void {
    const { counters, loader, shutdown, events } = this.#components
    if (signal?.aborted === true) throw abortReason(signal)
    const outer = outerTurn<TurnRun<T>, T>(this.#owner, checkId(id))
    const slot = outer?.record?.slot ?? this.#operations.touch(id)
    if (slot !== noSlot) {
      counters.hits += 1
      resolve(take(slot))
      events.flush()
      return
    }
    counters.misses += 1
    if (shutdown !== undefined) throw closedError()
    let stopListening = () => {}
    const request: OpenRequest<T> = {
      create,
      context: undefined,
      onOpened: (opened) => {
        stopListening()
        resolve(take(opened))
      },
      onReady: () => {},
      onAbsent: () => {
        stopListening()
        resolve(undefined)
      },
      onFailed: (error) => {
        stopListening()
        reject(error)
      },
    }
    if (signal !== undefined) {
      stopListening = onAbort(signal, () => {
        loader.cancel(id, request)
        events.flush()
        reject(abortReason(signal))
      })
    }
    loader.open(id, request)
    events.flush()
  }
}
