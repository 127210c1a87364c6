import { type MakeContender, usualTiming } from '../contender.ts'
import { median } from '../median.ts'
import { makeIds, makeOrder } from '../session-ids.ts'
import { collectGarbage } from './collect-garbage.ts'

export interface LiveSessionsFigures {
  readonly touchNs: number
  /** A look for what is over that finds nothing; `NaN` where there is no such thing. */
  readonly idleSweepMs: number
}

const touchesPerBatch = 20_000
/** Not counted: meanwhile the engine sees what is asked of it, and compiles that. */
const firstBatches = 25
const batches = 50
/** Slow contenders get fewer batches. */
const touchLimitMs = 1_000

/**
 * Uses live sessions at random, and looks for what is over where nothing is.
 *
 * Nothing else has happened in the process than that these sessions were created: as on a server, which is
 * asked for what lives far more often than for what does not. A million creations before would have the
 * engine put the creation into the loop that is timed.
 */
export async function measureLiveSessions(make: MakeContender, size: number): Promise<LiveSessionsFigures> {
  const ids = makeIds(size)
  const order = makeOrder(touchesPerBatch * (firstBatches + batches), size)
  const contender = make(usualTiming)
  for (const id of ids) contender.getOrCreate(id)
  await collectGarbage()
  const use = async (first: number, count: number): Promise<number[]> => {
    const touchNs: number[] = []
    const startedAt = performance.now()
    for (let batch = 0; batch < count && performance.now() - startedAt < touchLimitMs; batch += 1) {
      const from = (first + batch) * touchesPerBatch
      const batchStartedAt = performance.now()
      useInOrder(contender, ids, order.subarray(from, from + touchesPerBatch))
      // What it has put off to the next turn of the loop is a part of its work.
      await new Promise(setImmediate)
      touchNs.push(((performance.now() - batchStartedAt) * 1e6) / touchesPerBatch)
    }
    return touchNs
  }
  await use(0, firstBatches)
  const touchNs = median(await use(firstBatches, batches))
  const idleSweepMs = contender.sweep === undefined ? Number.NaN : timeSweeps(() => contender.sweep?.())
  if (contender.size() !== size) throw new Error(`${contender.size()} sessions instead of ${size}`)
  contender.close()
  return { touchNs, idleSweepMs }
}

/** Apart, so that the engine compiles this loop and not all that is around it. */
function useInOrder(contender: ReturnType<MakeContender>, ids: readonly string[], order: Uint32Array): void {
  for (const at of order) contender.getOrCreate(ids[at] as string)
}

function timeSweeps(sweep: () => void): number {
  return median(
    Array.from({ length: 5 }, () => {
      const startedAt = performance.now()
      sweep()
      return performance.now() - startedAt
    }),
  )
}
