import { abortReason, onAbort } from '../core/async/abort-listeners.ts'
import type { CheckedAcquire, CheckedOpen } from '../core/options/call-options.ts'
import { checkId } from '../core/options/validate.ts'
import { outerTurn } from '../core/turns/outer-turn.ts'
import type { Operations } from './operations.ts'
import type { OpenRequest } from './pending-open.ts'
import type { Hold } from './session/hold.ts'
import { noSlot, type Slot } from './table/session-table.ts'
import type { TurnRun } from './turns/turn-run.ts'
import type { Components } from './wiring.ts'

/** The outcome of a call that opens a session. */
interface OpenOutcome<R> {
  /** Takes what the call is for from the session, in the step in which it is in memory. */
  take(slot: Slot): R
  resolve(result: R | undefined): void
  reject(error: unknown): void
}

/** `open` and `acquire`: calls that wait until a session is in memory, and take something from it. */
export class OpenCalls<T> {
  readonly #owner: object
  readonly #components: Components<T>
  readonly #operations: Operations<T>

  constructor(owner: object, components: Components<T>, operations: Operations<T>) {
    this.#owner = owner
    this.#components = components
    this.#operations = operations
  }

  /** Resolves with the value in memory, else loaded, else created. Throws what is wrong at once. */
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
    const { turns, table, gate } = this.#components
    gate.assertOpen()
    const take = (slot: Slot) => turns.holds.hold(table.recordOf(slot), options.maxMs)
    this.#open(id, options, { take, resolve, reject })
  }

  #open<R>(id: string, { create, signal, owner }: CheckedOpen<T>, outcome: OpenOutcome<R>): void {
    if (signal?.aborted === true) throw abortReason(signal)
    const outer = outerTurn<TurnRun<T>, T>(this.#owner, checkId(id))
    this.#operations.admission.assertOwner(id, owner)
    const slot = outer?.record?.slot ?? this.#operations.touch(id)
    const { counters, loader, gate } = this.#components
    if (slot !== noSlot) {
      counters.hits += 1
      outcome.resolve(outcome.take(slot))
      return
    }
    counters.misses += 1
    gate.assertOpen()
    loader.open(id, this.#requestFor(id, { create, owner }, signal, outcome))
  }

  #requestFor<R>(
    id: string,
    wanted: Pick<OpenRequest<T>, 'create' | 'owner'>,
    signal: AbortSignal | undefined,
    { take, resolve, reject }: OpenOutcome<R>,
  ): OpenRequest<T> {
    const { loader, step } = this.#components
    let stopListening = () => {}
    const request: OpenRequest<T> = {
      ...wanted,
      context: undefined,
      onOpened: (opened) => {
        stopListening()
        resolve(take(opened))
      },
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
        step.run(() => loader.cancel(id, request))
        reject(abortReason(signal))
      })
    }
    return request
  }
}
