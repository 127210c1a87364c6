import { type MakeContender, usualTiming } from '../contender.ts'
import { makeIds } from '../session-ids.ts'
import { collectGarbage } from './collect-garbage.ts'
import { warmUp } from './warm-up.ts'

export interface CreationFigures {
  readonly createNs: number
  /** Bytes beyond key and value. */
  readonly bytesPerSession: number
}

/**
 * Number of creations that are timed at least: fewer are finished before the engine has optimised the code.
 */
const minCreations = 1_000_000

/**
 * Number of cohorts of ids at most, which alternate. With a single cohort of a thousand ids the processor's
 * branch predictor learns the ids, which makes a bare `Map` faster than it is on a server.
 */
const maxCohorts = 64

/** Number of sessions that are weighed at least: a thousand are lost in the noise of the heap. */
const minWeighed = 100_000

/** Measures creation, in as many registries as necessary, and the memory of a session. */
export async function measureCreation(make: MakeContender, size: number): Promise<CreationFigures> {
  warmUp(make)
  const cohorts = Array.from({ length: Math.min(maxCohorts, Math.ceil(minCreations / size)) }, () =>
    makeIds(size),
  )
  let createMs = 0
  let creations = 0
  for (let index = 1; creations < minCreations; index += 1) {
    // A single registry must not pay for the garbage of the ids.
    if (creations + size >= minCreations) await collectGarbage()
    const contender = make(usualTiming)
    createMs += timeCreation(contender, cohorts[index % cohorts.length] as string[])
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

/** Returns the bytes in the heap and of array buffers. */
function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
