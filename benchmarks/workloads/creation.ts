import type { MakeContender } from '../contender.ts'
import { median } from '../median.ts'
import { makeIds, makeOrder } from '../session-ids.ts'
import { warmUp } from './warm-up.ts'

export interface SteadyFigures {
  readonly createNs: number
  readonly touchNs: number
  /** Beyond key and value. */
  readonly bytesPerSession: number
  /** A look for what is over that finds nothing; `NaN` where there is no such thing. */
  readonly idleSweepMs: number
}

const timing = { timeoutMs: 20 * 60_000, intervalMs: 5 * 60_000 }

/** So many creations at least are timed: fewer are over before the engine has seen what it compiles them for. */
const minCreations = 1_000_000

/**
 * The registries that are timed have so many crowds of visitors at most, in turn. With one crowd, a processor that
 * foresees branches by what went before learns a thousand ids by heart: the bare `Map` takes 74 ns per creation
 * instead of 82, and whoever has more to do in between, and so forgets, hardly less than before.
 */
const maxCrowds = 64

/** So many sessions at least are weighed: a thousand weigh less than what comes and goes beside them. */
const minWeighed = 100_000

const touchesPerBatch = 20_000
const batches = 50
/** Slow contenders get fewer batches. */
const touchLimitMs = 1_000

/** Creates sessions, uses them at random, and looks for what is over where nothing is. */
export async function measureSteady(make: MakeContender, size: number): Promise<SteadyFigures> {
  warmUp(make)
  const crowds = Array.from({ length: Math.min(maxCrowds, Math.ceil(minCreations / size)) }, () =>
    makeIds(size),
  )
  const ids = crowds[0] as string[]
  const order = makeOrder(touchesPerBatch * batches, size)
  let createMs = 0
  let creations = 0
  for (let turn = 1; creations < minCreations - size; turn += 1) {
    const contender = make(timing)
    createMs += timeCreation(contender, crowds[turn % crowds.length] as string[])
    creations += size
    contender.close()
    await new Promise(setImmediate)
  }
  await collectGarbage()
  const contender = make(timing)
  createMs += timeCreation(contender, ids)
  creations += size
  await collectGarbage()
  const touchNs: number[] = []
  const startedAt = performance.now()
  for (let batch = 0; batch < batches && performance.now() - startedAt < touchLimitMs; batch += 1) {
    const from = batch * touchesPerBatch
    const batchStartedAt = performance.now()
    for (let at = from; at < from + touchesPerBatch; at += 1) {
      contender.getOrCreate(ids[order[at] as number] as string)
    }
    // What it has put off to the next turn of the loop is a part of its work.
    await new Promise(setImmediate)
    touchNs.push(((performance.now() - batchStartedAt) * 1e6) / touchesPerBatch)
  }
  const idleSweepMs = contender.sweep === undefined ? Number.NaN : timeSweeps(() => contender.sweep?.())
  if (contender.size() !== size) throw new Error(`${contender.size()} sessions instead of ${size}`)
  contender.close()
  const bytesPerSession = await weigh(make, ids)
  return { createNs: (createMs * 1e6) / creations, touchNs: median(touchNs), bytesPerSession, idleSweepMs }
}

async function weigh(make: MakeContender, ids: readonly string[]): Promise<number> {
  await collectGarbage()
  const before = usedBytes()
  const contenders = Array.from({ length: Math.ceil(minWeighed / ids.length) }, () => make(timing))
  for (const contender of contenders) for (const id of ids) contender.getOrCreate(id)
  await collectGarbage()
  const bytes = usedBytes() - before
  for (const contender of contenders) contender.close()
  return bytes / (ids.length * contenders.length)
}

function timeCreation(contender: ReturnType<MakeContender>, ids: readonly string[]): number {
  const startedAt = performance.now()
  for (const id of ids) contender.getOrCreate(id)
  return performance.now() - startedAt
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

async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await new Promise(setImmediate)
    globalThis.gc?.()
  }
}

/** In the heap and beside it. */
function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
