import { busy, queueFull } from '../core/refusals.ts'
import type { Archiver } from './archiver.ts'
import type { Opener } from './opener.ts'
import type { Opens } from './opening.ts'
import type { TurnRun } from './turn-run.ts'

/** What becomes of a turn whose session has come into memory. */
export interface TurnArrival<T> {
  /** In the very step: it holds the session from here on. */
  attach(slot: number, run: TurnRun<T>): void
  /** Afterwards: it begins if nothing stands in its way. */
  begin(run: TurnRun<T>): void
}

/** The turns that wait for their session to be loaded or made. */
export class TurnOpening<T> {
  readonly #opener: Opener<T>
  readonly #archiver: Archiver<T>
  readonly #maxWaiting: number
  readonly #arrival: TurnArrival<T>
  /** How many wait for each id. */
  readonly #awaiting = new Map<string, number>()

  constructor(opener: Opener<T>, archiver: Archiver<T>, maxWaiting: number, arrival: TurnArrival<T>) {
    this.#opener = opener
    this.#archiver = archiver
    this.#maxWaiting = maxWaiting
    this.#arrival = arrival
  }

  /** Brings the session of a run into memory, or refuses the run. */
  open(run: TurnRun<T>): void {
    const { id } = run
    // The first of them waits for no other turn, so that it does not count.
    if ((this.#awaiting.get(id) ?? 0) > this.#maxWaiting) run.fail(queueFull(this.#maxWaiting), 'over')
    else if (run.whenBusy === 'reject' && this.#archiver.has(id)) run.fail(busy(), 'over')
    else this.#opener.open(id, this.#waiterFor(run))
  }

  /** Turns whose session has ended before they began: they keep their order on a new one. */
  reopen(id: string, runs: readonly TurnRun<T>[]): void {
    this.#opener.reopen(
      id,
      runs.map((run) => this.#waiterFor(run)),
    )
  }

  /** A run waits for its session no longer. */
  leave(run: TurnRun<T>): void {
    const { waiter } = run
    if (waiter === undefined) return
    this.#served(run)
    this.#opener.leave(run.id, waiter)
  }

  #waiterFor(run: TurnRun<T>): Opens<T> {
    this.#awaiting.set(run.id, (this.#awaiting.get(run.id) ?? 0) + 1)
    run.waiter = {
      create: run.create,
      context: run.context,
      attach: (slot) => {
        this.#served(run)
        this.#arrival.attach(slot, run)
      },
      begin: () => this.#arrival.begin(run),
      absent: () => {
        this.#served(run)
        if (run.phase === 'waiting') run.succeed(undefined)
      },
      fail: (error) => {
        this.#served(run)
        if (run.phase === 'waiting') run.fail(error, 'over')
      },
    }
    return run.waiter
  }

  #served(run: TurnRun<T>): void {
    if (run.waiter === undefined) return
    run.waiter = undefined
    const left = (this.#awaiting.get(run.id) ?? 0) - 1
    if (left > 0) this.#awaiting.set(run.id, left)
    else this.#awaiting.delete(run.id)
  }
}
