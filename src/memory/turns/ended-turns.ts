import { endedDuringTurnError } from '../../core/errors/turn-errors.ts'
import type { Step } from '../../core/events/step.ts'
import type { Timer } from '../../core/time/clock.ts'
import type { Watchdog } from '../../core/turns/watchdog.ts'
import type { Disposer } from '../disposal/disposer.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { usersOf } from '../session/session-users.ts'
import { TurnRun } from './turn-run.ts'

/** The turns of one session that has ended, until they have settled. */
interface Remaining<T> {
  readonly record: SessionRecord<T>
  count: number
  timer: Timer | undefined
}

/**
 * The users of sessions that ended in use. Their signals abort. A turn uses the value until it has settled,
 * or for the grace; then the value is disposed of.
 */
export class EndedTurns<T> {
  readonly #step: Step
  readonly #watchdog: Watchdog
  readonly #graceMs: number
  readonly #disposer: Disposer<T> | undefined
  /** Only where values are disposed of. */
  readonly #remaining = new Map<TurnRun<T>, Remaining<T>>()

  constructor(step: Step, watchdog: Watchdog, graceMs: number, disposer: Disposer<T> | undefined) {
    this.#step = step
    this.#watchdog = watchdog
    this.#graceMs = graceMs
    this.#disposer = disposer
  }

  /** Returns the turn that still uses the value of each session that is to be disposed of. */
  byRecord(): ReadonlyMap<SessionRecord<T>, TurnRun<T>> {
    const turns = new Map<SessionRecord<T>, TurnRun<T>>()
    for (const [run, { record }] of this.#remaining) if (!turns.has(record)) turns.set(record, run)
    return turns
  }

  /** Ends all use of a session that has ended. Returns the turns that waited, which need another session. */
  add(record: SessionRecord<T>): TurnRun<T>[] {
    const users = usersOf(record)
    if (users === undefined) return []
    record.users = undefined
    const error = endedDuringTurnError()
    const waiting = users.takeWaiting()
    for (const fn of users.takeAllAfterTurn()) this.#step.after(callBack, fn)
    const runs: TurnRun<T>[] = []
    for (const user of users.list()) {
      if (user instanceof TurnRun) {
        if (user.phase !== 'settled') runs.push(user)
        this.#abort(user, error)
      } else {
        user.abort(error)
        user.end()
      }
    }
    this.#waitFor(record, runs)
    for (const run of waiting) {
      run.record = undefined
      run.wasQueued = true
    }
    return waiting
  }

  /**
   * The grace of a turn that was aborted at its limit has passed, for the runs that are nested in it as well.
   */
  onCutOff(turn: TurnRun<T>): void {
    for (const run of [...this.#remaining.keys()]) if (run === turn || run.isPartOf(turn)) this.settle(run)
  }

  /** The function of a turn has settled. */
  settle(run: TurnRun<T>): void {
    const remaining = this.#remaining.get(run)
    if (remaining === undefined) return
    this.#remaining.delete(run)
    remaining.count -= 1
    if (remaining.count > 0) return
    remaining.timer?.cancel()
    this.#disposer?.ready(remaining.record)
  }

  /** Aborts a turn whose session has ended. Its promise settles as its function does, or at its limit. */
  #abort(run: TurnRun<T>, error: unknown): void {
    run.record = undefined
    run.snapshot = undefined
    if (run.phase === 'settled') return
    run.phase = 'aborted'
    run.abortReason = error
    this.#step.events.defer(() => run.abort(error))
  }

  #waitFor(record: SessionRecord<T>, runs: readonly TurnRun<T>[]): void {
    if (this.#disposer === undefined) return
    if (runs.length === 0 || this.#graceMs === 0) {
      this.#disposer.ready(record)
      return
    }
    const remaining: Remaining<T> = { record, count: runs.length, timer: undefined }
    for (const run of runs) this.#remaining.set(run, remaining)
    remaining.timer = this.#watchdog.start(() => {
      for (const run of runs) this.#remaining.delete(run)
      this.#disposer?.ready(record)
    }, this.#graceMs)
  }
}

function callBack(fn: () => void): void {
  fn()
}
