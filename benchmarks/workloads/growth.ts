import type { MakeContender } from '../contender.ts'
import { CpuWait } from '../cpu-wait.ts'
import { warmUp } from './warm-up.ts'

export interface GrowthFigures {
  readonly longestInsertionMs: number
  /** CPU wait within it; absent if the system does not report it. */
  readonly waitingMs?: number | undefined
  /** The longest insertion without its CPU wait, garbage collection included. */
  readonly longestOwnMs: number
}

/** Duration from which an insertion is examined, in milliseconds. */
const noticeMs = 1
const insertionsPerIteration = 10_000
/** Insertions between two readings of the CPU wait, since a reading takes longer than an insertion. */
const insertionsPerReading = 20

/** Measures each insertion while a registry grows from empty. */
export async function measureGrowth(make: MakeContender, size: number): Promise<GrowthFigures> {
  warmUp(make)
  const wait = new CpuWait()
  const contender = make({ timeoutMs: 86_400_000, intervalMs: 86_400_000 })
  let longest: GrowthFigures = { longestInsertionMs: 0, longestOwnMs: 0 }
  let waitedMs = wait.ms
  for (let count = 0; count < size; count += 1) {
    // Made here: an array of ten million ids would be part of the measured heap.
    const id = `${(count * 2_654_435_761) % 4_294_967_296}-${count}`
    if (count % insertionsPerReading === 0) waitedMs = wait.ms
    const from = performance.now()
    contender.getOrCreate(id)
    const ms = performance.now() - from
    if (ms >= noticeMs) {
      const waitingMs = waitedMs === undefined ? undefined : Math.min(ms, (wait.ms as number) - waitedMs)
      longest = longer(longest, ms, waitingMs)
      waitedMs = wait.ms
    }
    if (count % insertionsPerIteration === 0) await new Promise(setImmediate)
  }
  contender.close()
  return longest
}

function longer(longest: GrowthFigures, ms: number, waitingMs: number | undefined): GrowthFigures {
  const longestOwnMs = Math.max(longest.longestOwnMs, ms - (waitingMs ?? 0))
  if (ms <= longest.longestInsertionMs) return { ...longest, longestOwnMs }
  return { longestInsertionMs: ms, waitingMs, longestOwnMs }
}
