import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ContenderName } from './contenders.ts'
import type { CreationFigures } from './workloads/creation.ts'
import type { GrowthFigures } from './workloads/growth.ts'
import type { HourFigures } from './workloads/hour.ts'
import type { LiveSessionsFigures } from './workloads/live-sessions.ts'
import type { MassExpiryFigures } from './workloads/mass-expiry.ts'

export interface FiguresOf {
  creation: CreationFigures
  'live-sessions': LiveSessionsFigures
  'mass-expiry': MassExpiryFigures
  control: MassExpiryFigures
  hour: HourFigures
  growth: GrowthFigures
  'growth-with-spare-cpu': GrowthFigures
}

export type Work = keyof FiguresOf

/**
 * Number of V8's helper threads that leaves one processor to the main thread. Node starts four on any
 * machine, and a garbage collection uses all of them.
 */
export const helpersWithSpareCpu = Math.max(1, Math.min(4, availableParallelism() - 1))

const flagsOf: Partial<Record<Work, readonly string[]>> = {
  'growth-with-spare-cpu': [`--v8-pool-size=${helpersWithSpareCpu}`],
}

const run = promisify(execFile)
const measure = fileURLToPath(new URL('.built/measure.js', import.meta.url))

/** Measures in a new process of `node`, without the heap or the compiled code of another contender. */
export async function measureApart<W extends Work>(
  node: string,
  work: W,
  contender: ContenderName,
  size: number,
): Promise<FiguresOf[W]> {
  const flags = ['--expose-gc', '--max-old-space-size=16384', ...(flagsOf[work] ?? [])]
  const { stdout } = await run(node, [...flags, measure, work, contender, String(size)])
  // JSON has neither NaN nor Infinity; they are sent as strings.
  return JSON.parse(stdout, (_key, value) =>
    value === 'NaN' || value === 'Infinity' ? Number(value) : value,
  )
}
