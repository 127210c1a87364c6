import { busyError, queueFullError } from '../../core/errors/turn-errors.ts'
import type { Archiver } from '../archiving/archiver.ts'
import type { Disposer } from '../disposal/disposer.ts'
import type { SessionLoader } from '../loader.ts'
import type { OpenRequest } from '../pending-open.ts'
import type { Slot } from '../table/session-table.ts'
import type { TurnRun } from './turn-run.ts'

/** The scheduler's part when the session of a turn is in memory. */
export interface TurnOpenHandler<T> {
  /** Called in the step in which it is: the turn holds the session from here on. */
  onOpened(slot: Slot, run: TurnRun<T>): void
  /** Called after that step: the turn begins, unless another one is running. */
  onReady(run: TurnRun<T>): void
}

/** The turns that wait for their session to be loaded or created. */
export class AwaitingTurns<T> {
  readonly #loader: SessionLoader<T>
  readonly #archiver: Archiver<T>
  readonly #disposer: Disposer<T> | undefined
  readonly #maxWaiting: number
  readonly #handler: TurnOpenHandler<T>
  /** Number of turns that wait for each id. */
  readonly #countById = new Map<string, number>()

  constructor(
    components: {
      readonly loader: SessionLoader<T>
      readonly archiver: Archiver<T>
      readonly disposer: Disposer<T> | undefined
    },
    maxWaiting: number,
    handler: TurnOpenHandler<T>,
  ) {
    this.#loader = components.loader
    this.#archiver = components.archiver
    this.#disposer = components.disposer
    this.#maxWaiting = maxWaiting
    this.#handler = handler
  }

  /** Opens the session of a run, or rejects the run. */
  open(run: TurnRun<T>): void {
    const { id } = run
    // The first one waits for no other turn, so it does not count.
    if ((this.#countById.get(id) ?? 0) > this.#maxWaiting)
      run.fail(queueFullError(this.#maxWaiting), 'settled')
    else if (run.whenBusy === 'reject' && this.#isLeaving(id)) run.fail(busyError(), 'settled')
    else this.#loader.open(id, this.#requestFor(run))
  }

  #isLeaving(id: string): boolean {
    return this.#archiver.has(id) || this.#disposer?.has(id) === true
  }

  /** Opens a new session for turns whose session ended before they began. They keep their order. */
  reopen(id: string, runs: readonly TurnRun<T>[]): void {
    this.#loader.reopen(
      id,
      runs.map((run) => this.#requestFor(run)),
    )
  }

  /** Withdraws a run that waits. */
  cancel(run: TurnRun<T>): void {
    const { openRequest } = run
    if (openRequest === undefined) return
    this.#onServed(run)
    this.#loader.cancel(run.id, openRequest)
  }

  #requestFor(run: TurnRun<T>): OpenRequest<T> {
    this.#countById.set(run.id, (this.#countById.get(run.id) ?? 0) + 1)
    run.openRequest = {
      create: run.create,
      owner: run.owner,
      context: run.context,
      onOpened: (slot) => {
        this.#onServed(run)
        this.#handler.onOpened(slot, run)
      },
      onReady: () => this.#handler.onReady(run),
      onAbsent: () => {
        this.#onServed(run)
        if (run.phase === 'waiting') run.succeed(undefined)
      },
      onFailed: (error) => {
        this.#onServed(run)
        if (run.phase === 'waiting') run.fail(error, 'settled')
      },
    }
    return run.openRequest
  }

  #onServed(run: TurnRun<T>): void {
    if (run.openRequest === undefined) return
    run.openRequest = undefined
    const remaining = (this.#countById.get(run.id) ?? 0) - 1
    if (remaining > 0) this.#countById.set(run.id, remaining)
    else this.#countById.delete(run.id)
  }
}
