import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { usersOf } from '../session/session-users.ts'
import type { Saver } from '../storing/saver.ts'
import type { Storage } from '../storing/storage.ts'
import type { TurnRun } from './turn-run.ts'

/**
 * The end of a turn that has succeeded: its session is saved, where turns are saved, and its run resolves.
 */
export class TurnSaves<T> {
  readonly #lifecycle: Lifecycle<T>
  /** Whether the registry has a store, so that what a turn of an ended session did is lost. */
  readonly #isStored: boolean
  /** `undefined` where turns are not saved. */
  readonly #saver: Saver<T> | undefined
  readonly #onSettled: (run: TurnRun<T>) => void

  /** `onSettled` is called when the run has settled, to release its session. */
  constructor(
    lifecycle: Lifecycle<T>,
    storage: Storage<T> | undefined,
    onSettled: (run: TurnRun<T>) => void,
  ) {
    this.#lifecycle = lifecycle
    this.#isStored = storage !== undefined
    this.#saver = storage?.save === 'turn' ? storage.saver : undefined
    this.#onSettled = onSettled
  }

  /** Settles a run whose function has returned `result`. */
  finish(run: TurnRun<T>, result: unknown): void {
    const { record } = run
    if (record === undefined || this.#saver === undefined || this.#isSavedLater(run, record)) {
      this.#settle(run, result, undefined)
      return
    }
    run.beginSaving()
    this.#saver.save(record, (error) => {
      this.#lifecycle.step.run(() => {
        this.#settle(run, result, error)
        if (isSessionRegistryError(error, 'ERR_SESSION_STORE_CONFLICT')) this.#lifecycle.endReplaced(record)
      })
    })
  }

  #settle(run: TurnRun<T>, result: unknown, error: unknown): void {
    // Its session has ended, or it took too long.
    if (this.#isStored && run.phase === 'aborted') run.fail(run.abortReason, 'settled')
    else if (error === undefined) run.succeed(result)
    else run.fail(error, 'settled')
    this.#onSettled(run)
  }

  /**
   * Whether a turn that is still running saves what this run has changed, which is part of it or runs beside
   * it.
   */
  #isSavedLater(run: TurnRun<T>, record: SessionRecord<T>): boolean {
    const running = usersOf(record)?.running
    return running !== undefined && running !== run && running.phase === 'running' && !running.isSaving
  }
}
