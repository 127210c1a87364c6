import { type MakeContender, usualTiming } from '../contender.ts'
import { makeIds } from '../session-ids.ts'
import { collectGarbage } from './collect-garbage.ts'
import { warmUp } from './warm-up.ts'

export interface CreationFigures {
  readonly createNs: number
  /** Beyond key and value. */
  readonly bytesPerSession: number
}

/**
 * So many creations at least are timed: fewer are over before the engine has seen what it compiles them for.
 */
const minCreations = 1_000_000

/**
 * The registries that are timed have so many cohorts of visitors at most, in turn. With one cohort, a
 * processor that foresees branches by what went before learns a thousand ids by heart: the bare `Map` takes
 * 74 ns per creation instead of 82, and whoever has more to do in between, and so forgets, hardly less than
 * before.
 */
const maxCohorts = 64

/** So many sessions at least are weighed: a thousand weigh less than what comes and goes beside them. */
const minWeighed = 100_000

/** Creates sessions, in as many registries as it takes, and weighs them. */
export async function measureCreation(make: MakeContender, size: number): Promise<CreationFigures> {
  warmUp(make)
  const cohorts = Array.from({ length: Math.min(maxCohorts, Math.ceil(minCreations / size)) }, () =>
    makeIds(size),
  )
  let createMs = 0
  let creations = 0
  for (let turn = 1; creations < minCreations; turn += 1) {
    // Where there is only one, it does not pay for what the ids have left behind.
    if (creations + size >= minCreations) await collectGarbage()
    const contender = make(usualTiming)
    createMs += timeCreation(contender, cohorts[turn % cohorts.length] as string[])
    creations += size
    contender.close()
    await new Promise(setImmediate)
  }
  const bytesPerSession = await weigh(make, cohorts[0] as string[])
  return { createNs: (createMs * 1e6) / creations, bytesPerSession }
}

async function weigh(make: MakeContender, ids: readonly string[]): Promise<number> {
  await collectGarbage()
  const before = usedBytes()
  const contenders = Array.from({ length: Math.ceil(minWeighed / ids.length) }, () => make(usualTiming))
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

/** In the heap and beside it. */
function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
