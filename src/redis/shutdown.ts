import type { CloseReport } from '../core/close-report.ts'
import { closedError } from '../core/errors/turn-errors.ts'
import { realClock, Timer } from '../core/time/clock.ts'
import type { RedisComponents } from './wiring.ts'

/**
 * Closes the registry of this process: waits for its turns, holds and archives until the deadline, and
 * releases claims that have not begun at once. The sessions stay, since they belong to all processes.
 *
 * After the deadline, one more budget bounds the grace of turns, their saves and releases: the larger of
 * `turnGraceMs` and `callTimeoutMs`. Then it settles, whatever Redis does.
 */
export async function shutDown<T>(
  components: RedisComponents<T>,
  deadlineMs: number,
): Promise<CloseReport<T>> {
  const { turns, holds, archiver, poller, loader, log, options } = components
  const { ended, archived } = log.counters
  turns.rejectWaiting(closedError())
  loader.rejectAll(closedError())
  await new Promise<void>((resolve) => {
    let timer: Timer
    // Neither rejects.
    let isReleasing = true
    const isDone = () => !isReleasing && turns.count === 0 && holds.count === 0 && archiver.count === 0
    const finish = () => {
      timer.cancel()
      turns.abortAll(closedError())
      resolve()
    }
    const advance = () => {
      if (isDone()) finish()
    }
    const wait = (ms: number, onElapsed: () => void) => {
      timer = new Timer(realClock, onElapsed, ms, { keepsAlive: true })
    }
    wait(deadlineMs, () => {
      wait(Math.max(options.turnGraceMs, options.callTimeoutMs), finish)
      turns.stopAll(closedError())
      archiver.abortAll(closedError())
      void holds.releaseAll()
      advance()
    })
    turns.onSettled = advance
    holds.onSettled = advance
    archiver.onCapacity = advance
    void Promise.all([archiver.releaseQueued(), poller.stop()]).then(() => {
      isReleasing = false
      advance()
    })
  })
  archiver.abandonAll(closedError())
  return {
    ended: log.counters.ended - ended,
    archived: log.counters.archived - archived,
    failed: archiver.abortedAtDeadline,
  }
}
