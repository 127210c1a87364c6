import { realClock, Timer } from '../core/clock.ts'
import type { CloseReport } from '../core/close-report.ts'
import { closed } from '../core/refusals.ts'
import type { RedisParts } from './parts.ts'

/**
 * The end of this process's part: its turns, holds and archives are waited for until the deadline, what it has claimed
 * and not begun is given back at once. The sessions live on; they belong to all processes.
 */
export async function closeParts<T>(parts: RedisParts<T>, deadlineMs: number): Promise<CloseReport<T>> {
  const { turns, holds, archiver, poller, opener, teller } = parts
  const { ended, archived } = teller.counters
  let isLooking = true
  turns.refuseWaiting(closed())
  opener.refuseAll(closed())
  const isDone = () => !isLooking && turns.count === 0 && holds.count === 0 && archiver.count === 0
  const givenBack = archiver.giveBack()
  await new Promise<void>((resolve) => {
    const check = () => {
      if (!isDone()) return
      timer.cancel()
      resolve()
    }
    const timer = new Timer(
      realClock,
      () => {
        turns.cutAll(closed())
        archiver.cutAll(closed())
        void holds.releaseAll()
        check()
      },
      deadlineMs,
      { keepsAlive: true },
    )
    turns.whenSettled = check
    holds.whenSettled = check
    archiver.whenRoom = check
    void poller.stop().then(() => {
      isLooking = false
      check()
    })
  })
  await givenBack
  return {
    ended: teller.counters.ended - ended,
    archived: teller.counters.archived - archived,
    failed: archiver.cutShort,
  }
}
