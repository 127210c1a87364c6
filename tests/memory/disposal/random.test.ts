import process from 'node:process'
import { expect, it, vi } from 'vitest'
import { Random } from '../../support/random.ts'
import { type ProgramReport, runProgram } from './random/program.ts'

/** Seeds that once found a fault. */
const remembered: readonly number[] = []

/** `DISPOSAL_SEED=7 DISPOSAL_ROUNDS=1` repeats one program; more rounds look for more. */
const { DISPOSAL_SEED = Date.now() % 1_000_000_000, DISPOSAL_ROUNDS = 200 } = process.env
const firstSeed = Number(DISPOSAL_SEED)
const rounds = Number(DISPOSAL_ROUNDS)

async function reportOf(seed: number): Promise<ProgramReport> {
  // The jitter of the archive retries is seeded as well.
  const jitter = new Random(seed + 1)
  vi.spyOn(Math, 'random').mockImplementation(() => jitter.next())
  const unhandled: unknown[] = []
  const onUnhandled = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', onUnhandled)
  try {
    const report = await runProgram(seed)
    expect(unhandled, `DISPOSAL_SEED=${seed}`).toEqual([])
    return report
  } finally {
    process.off('unhandledRejection', onUnhandled)
    vi.restoreAllMocks()
  }
}

it.each(remembered)('random disposals: nothing leaks for seed %i, which once leaked', async (seed) => {
  expect((await reportOf(seed)).problems).toEqual([])
})

it(`random disposals: nothing leaks for ${rounds} seeds from ${firstSeed}`, {
  timeout: 3_600_000,
}, async () => {
  let opened = 0
  let turns = 0
  let full = 0
  for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
    const report = await reportOf(seed)
    expect(report.problems, `DISPOSAL_SEED=${seed} DISPOSAL_ROUNDS=1`).toEqual([])
    opened += report.opened
    turns += report.turns
    full += report.wasFull ? 1 : 0
  }
  // Programs without effects prove nothing.
  expect(opened).toBeGreaterThan(10 * rounds)
  expect(turns).toBeGreaterThan(3 * rounds)
  expect(full).toBeGreaterThan(rounds / 4)
})
