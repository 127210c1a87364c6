import type { MakeContender } from '../contender.ts'
import { CpuWait } from '../cpu-wait.ts'
import { warmUp } from './warm-up.ts'

export interface GrowthFigures {
  readonly longestInsertionMs: number
  /** Of that, the wait for a processor. Not there where the system does not say. */
  readonly waitingMs?: number | undefined
  /**
   * The longest of all insertions without their wait for a processor; the engine's garbage collection is in
   * it.
   */
  readonly longestOwnMs: number
}

/** Shorter insertions are not looked at one by one. */
const noticeMs = 1
const insertionsPerTurn = 10_000
/**
 * To look each time would take longer than an insertion. The wait of one is so mistaken for that of its next
 * neighbours.
 */
const insertionsPerLook = 20

/** Grows from nothing, insertion by insertion. */
export async function measureGrowth(make: MakeContender, size: number): Promise<GrowthFigures> {
  warmUp(make)
  const wait = new CpuWait()
  const contender = make({ timeoutMs: 86_400_000, intervalMs: 86_400_000 })
  let longest: GrowthFigures = { longestInsertionMs: 0, longestOwnMs: 0 }
  let waitedMs = wait.ms
  for (let count = 0; count < size; count += 1) {
    // Made here: an array of ten million ids would be a part of the measured heap.
    const id = `${(count * 2_654_435_761) % 4_294_967_296}-${count}`
    if (count % insertionsPerLook === 0) waitedMs = wait.ms
    const from = performance.now()
    contender.getOrCreate(id)
    const ms = performance.now() - from
    if (ms >= noticeMs) {
      const waitingMs = waitedMs === undefined ? undefined : Math.min(ms, (wait.ms as number) - waitedMs)
      longest = longer(longest, ms, waitingMs)
      waitedMs = wait.ms
    }
    if (count % insertionsPerTurn === 0) await new Promise(setImmediate)
  }
  contender.close()
  return longest
}

function longer(longest: GrowthFigures, ms: number, waitingMs: number | undefined): GrowthFigures {
  const longestOwnMs = Math.max(longest.longestOwnMs, ms - (waitingMs ?? 0))
  if (ms <= longest.longestInsertionMs) return { ...longest, longestOwnMs }
  return { longestInsertionMs: ms, waitingMs, longestOwnMs }
}
