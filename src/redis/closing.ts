import type { CloseReport } from '../core/close-report.ts'
import { closedError } from '../core/errors/turn-errors.ts'
import { realClock, Timer } from '../core/time/clock.ts'
import type { RedisParts } from './parts.ts'

/**
 * The end of this process's part: its turns, holds and archives are waited for until the deadline, what it has claimed
 * and not begun is given back at once. The sessions live on; they belong to all processes.
 *
 * After the deadline there is one more budget, which the grace of turns, their saves and giving back share: the larger of
 * `turnGraceMs` and `callTimeoutMs`. Then it is over, whatever Redis does.
 */
export async function closeParts<T>(parts: RedisParts<T>, deadlineMs: number): Promise<CloseReport<T>> {
  const { turns, holds, archiver, poller, opener, teller, options } = parts
  const { ended, archived } = teller.counters
  turns.refuseWaiting(closedError())
  opener.refuseAll(closedError())
  await new Promise<void>((resolve) => {
    let timer: Timer
    // Neither rejects.
    let isWorking = true
    const isDone = () => !isWorking && turns.count === 0 && holds.count === 0 && archiver.count === 0
    const finish = () => {
      timer.cancel()
      turns.cutAll(closedError())
      resolve()
    }
    const check = () => {
      if (isDone()) finish()
    }
    const wait = (ms: number, then: () => void) => {
      timer = new Timer(realClock, then, ms, { keepsAlive: true })
    }
    wait(deadlineMs, () => {
      wait(Math.max(options.turnGraceMs, options.callTimeoutMs), finish)
      turns.stopAll(closedError())
      archiver.cutAll(closedError())
      void holds.releaseAll()
      check()
    })
    turns.whenSettled = check
    holds.whenSettled = check
    archiver.whenRoom = check
    void Promise.all([archiver.giveBack(), poller.stop()]).then(() => {
      isWorking = false
      check()
    })
  })
  archiver.leaveAll(closedError())
  return {
    ended: teller.counters.ended - ended,
    archived: teller.counters.archived - archived,
    failed: archiver.cutShort,
  }
}
