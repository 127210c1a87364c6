import { PerformanceObserver } from 'node:perf_hooks'
import type { MakeContender } from '../contender.ts'
import { warmUp } from './warm-up.ts'

export interface GrowthFigures {
  readonly longestInsertionMs: number
  /** Of that, the engine's garbage collection, which comes to whoever allocates next. */
  readonly collectingMs: number
  /** The longest insertion without a collection in it. */
  readonly longestOwnMs: number
}

/** Shorter insertions are not looked at one by one. */
const noticeMs = 1
const insertionsPerTurn = 10_000

/** Grows from nothing, insertion by insertion. */
export async function measureGrowth(make: MakeContender, size: number): Promise<GrowthFigures> {
  warmUp(make)
  const collections: { readonly from: number; readonly to: number }[] = []
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      collections.push({ from: startTime, to: startTime + duration })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  const contender = make({ timeoutMs: 86_400_000, intervalMs: 86_400_000 })
  const long: { readonly from: number; readonly to: number }[] = []
  for (let count = 0; count < size; count += 1) {
    // Made here: an array of ten million ids would be a part of the measured heap.
    const id = `${(count * 2_654_435_761) % 4_294_967_296}-${count}`
    const from = performance.now()
    contender.getOrCreate(id)
    const to = performance.now()
    if (to - from >= noticeMs) long.push({ from, to })
    if (count % insertionsPerTurn === 0) await new Promise(setImmediate)
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  observer.disconnect()
  let longest: GrowthFigures = { longestInsertionMs: 0, collectingMs: 0, longestOwnMs: 0 }
  for (const { from, to } of long) {
    const collectingMs = collections
      .filter((one) => one.from < to && one.to > from)
      .reduce((sum, one) => sum + Math.min(one.to, to) - Math.max(one.from, from), 0)
    const longestOwnMs = Math.max(longest.longestOwnMs, to - from - collectingMs)
    longest =
      to - from > longest.longestInsertionMs
        ? { longestInsertionMs: to - from, collectingMs, longestOwnMs }
        : { ...longest, longestOwnMs }
  }
  contender.close()
  return longest
}
