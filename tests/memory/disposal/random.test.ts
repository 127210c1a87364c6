import process from 'node:process'
import { expect, it, vi } from 'vitest'
import { Random } from '../../support/random.ts'
import { RandomEffects } from '../../support/random-effects.ts'
import { repeatedBy, seedsOf } from '../../support/seeds.ts'
import { type ProgramReport, runProgram } from './random/program.ts'

/** Seeds that once found a fault. */
const remembered: readonly number[] = []

async function reportOf(seed: number): Promise<ProgramReport> {
  // The jitter of the archive retries is seeded as well.
  const jitter = new Random(seed + 1)
  vi.spyOn(Math, 'random').mockImplementation(() => jitter.next())
  const unhandled: unknown[] = []
  const onUnhandled = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', onUnhandled)
  try {
    const report = await runProgram(seed)
    expect(unhandled, repeatedBy(seed)).toEqual([])
    return report
  } finally {
    process.off('unhandledRejection', onUnhandled)
    vi.restoreAllMocks()
  }
}

it.each(remembered)('random disposals: nothing leaks for seed %i, which once leaked', async (seed) => {
  expect((await reportOf(seed)).problems).toEqual([])
})

it('random disposals: nothing leaks', { timeout: 3_600_000 }, async () => {
  const effects = new RandomEffects()
  for (const seed of seedsOf({ rounds: 200 })) {
    const { problems, opened, turns, wasFull } = await reportOf(seed)
    expect(problems, repeatedBy(seed)).toEqual([])
    effects.add({ opened, turns, full: wasFull ? 1 : 0 })
  }

  effects.expectMeans({ opened: 6, turns: 3, full: 0.25 })
})
