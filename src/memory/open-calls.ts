import { abortReason, onAbort } from '../core/abort-listeners.ts'
import type { CheckedAcquire, CheckedOpen } from '../core/call-options.ts'
import { outerTurn } from '../core/outer-turn.ts'
import { closed } from '../core/refusals.ts'
import { checkId } from '../core/validate.ts'
import type { Access } from './access.ts'
import type { Hold } from './hold.ts'
import type { Opens } from './opening.ts'
import type { RegistryParts } from './parts.ts'
import { noSlot } from './table/slot-page.ts'
import type { TurnRun } from './turn-run.ts'

/** What becomes of a call that opens a session. */
interface Opened<R> {
  /** Takes what the call is for from the session, in the very step in which it is in memory. */
  take(slot: number): R
  resolve(result: R | undefined): void
  reject(error: unknown): void
}

/** Calls that wait until a session is in memory, and take something from it. */
export class OpenCalls<T> {
  readonly #owner: object
  readonly #parts: RegistryParts<T>
  readonly #access: Access<T>

  constructor(owner: object, parts: RegistryParts<T>, access: Access<T>) {
    this.#owner = owner
    this.#parts = parts
    this.#access = access
  }

  /** The value in memory, else loaded, else created; waits where it has to. What is wrong at once is thrown. */
  open(
    id: string,
    options: CheckedOpen<T>,
    resolve: (value: T | undefined) => void,
    reject: (error: unknown) => void,
  ): void {
    const { table, lifecycle } = this.#parts
    const take = (slot: number) => {
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
    const { turns, table, closing } = this.#parts
    if (closing !== undefined) throw closed()
    const take = (slot: number) => turns.hold(table.recordOf(slot), options.maxMs)
    this.#open(id, options, { take, resolve, reject })
  }

  #open<R>(id: string, { create, signal }: CheckedOpen<T>, { take, resolve, reject }: Opened<R>): void {
    const { counters, opener, closing, announcer } = this.#parts
    if (signal?.aborted === true) throw abortReason(signal)
    const outer = outerTurn<TurnRun<T>, T>(this.#owner, checkId(id))
    const slot = outer?.record?.slot ?? this.#access.active(id)
    if (slot !== noSlot) {
      counters.hits += 1
      resolve(take(slot))
      announcer.deliver()
      return
    }
    counters.misses += 1
    if (closing !== undefined) throw closed()
    let stopListening = () => {}
    const waiter: Opens<T> = {
      create,
      context: undefined,
      attach: (opened) => {
        stopListening()
        resolve(take(opened))
      },
      begin: () => {},
      absent: () => {
        stopListening()
        resolve(undefined)
      },
      fail: (error) => {
        stopListening()
        reject(error)
      },
    }
    if (signal !== undefined) {
      stopListening = onAbort(signal, () => {
        opener.leave(id, waiter)
        announcer.deliver()
        reject(abortReason(signal))
      })
    }
    opener.open(id, waiter)
    announcer.deliver()
  }
}
