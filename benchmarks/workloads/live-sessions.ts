import { type MakeContender, usualTiming } from '../contender.ts'
import { median } from '../median.ts'
import { makeIds, makeOrder } from '../session-ids.ts'
import { collectGarbage } from './collect-garbage.ts'

export interface LiveSessionsFigures {
  readonly touchNs: number
  /** Duration of a sweep that finds nothing; `NaN` without a sweep. */
  readonly idleSweepMs: number
}

const touchesPerBatch = 20_000
/** Batches that are not counted, in which the engine compiles the code. */
const firstBatches = 25
const batches = 50
/** Longest time for all batches, so that slow contenders run fewer. */
const touchLimitMs = 1_000

/**
 * Measures random uses of live sessions, and a sweep that finds nothing.
 *
 * The process has only created these sessions before, like a server, where uses of live sessions are far more
 * frequent than creations. After a million creations the engine would inline the creation into the timed
 * loop.
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
      // Work deferred to the next event-loop iteration counts too.
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

/** A function of its own, so that the engine compiles this loop without its surroundings. */
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
