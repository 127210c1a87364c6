import { startTimer } from '../core/async/contained-timer.ts'
import { Drain } from '../core/async/drain.ts'
import type { CloseReport } from '../core/close-report.ts'
import { closedError } from '../core/errors/turn-errors.ts'
import { realClock } from '../core/time/clock.ts'
import type { RedisComponents } from './wiring.ts'

const timerFailure = 'the deadline of `close` could not be set'

/**
 * Closes the registry of this process: waits for its turns, holds and archives until the deadline, and
 * releases claims that have not begun at once. The sessions stay, since they belong to all processes. The
 * store is closed at the end.
 *
 * After the deadline, one more budget bounds the grace of turns, their saves and releases: the larger of
 * `turnGraceMs` and `callTimeoutMs`. Then it settles, whatever Redis does.
 */
export async function shutDown<T>(
  components: RedisComponents<T>,
  deadlineMs: number,
): Promise<CloseReport<T>> {
  const { turns, holds, archiver, poller, loader, log, options } = components
  const { saves, deletions, pruner, durable } = components
  const { ended, archived } = log.counters
  const budgetMs = Math.max(options.turnGraceMs, options.callTimeoutMs)
  const endsAt = realClock.now() + deadlineMs + budgetMs
  turns.rejectWaiting(closedError())
  loader.rejectAll(closedError())
  await new Promise<void>((resolve) => {
    let isReleasing = true
    let isOutOfTime = false
    const isIdle = () => turns.count === 0 && holds.count === 0 && archiver.count === 0
    const hasEnded = () => !isReleasing && isIdle() && (saves?.count ?? 0) === 0
    const onDeadline = () => {
      turns.stopAll(closedError())
      archiver.abortAll(closedError())
      saves?.abortAll(closedError())
      void holds.releaseAll()
    }
    const onBudgetSpent = () => {
      isOutOfTime = true
    }
    const limits = [
      { ms: deadlineMs, onElapsed: onDeadline },
      { ms: budgetMs, onElapsed: onBudgetSpent },
    ]
    const timerHost = { clock: realClock, events: log.events }
    const drain = new Drain(
      [{ isDone: () => isOutOfTime || hasEnded(), limits }],
      (fn, ms) => startTimer(timerHost, fn, ms, timerFailure, { keepsAlive: true }),
      () => {
        turns.abortAll(closedError())
        resolve()
      },
    )
    const advance = () => drain.advance()
    turns.onSettled = advance
    holds.onSettled = advance
    archiver.onCapacity = advance
    if (saves !== undefined) saves.onSettled = advance
    drain.start()
    // Neither rejects.
    void Promise.all([archiver.releaseQueued(), poller.stop()]).then(() => {
      isReleasing = false
      advance()
    })
  })
  archiver.onLost = undefined
  archiver.abandonAll(closedError())
  saves?.abortAll(closedError())
  deletions.rejectAll(closedError())
  pruner?.stop(closedError())
  await durable?.close({ clock: realClock, events: log.events }, Math.max(endsAt - realClock.now(), 1))
  return {
    ended: log.counters.ended - ended,
    archived: log.counters.archived - archived,
    failed: archiver.abortedAtDeadline,
  }
}
