import { describe, expect, it } from 'vitest'
import { runProgram } from './programs/program.ts'

/** Seeds that once found a fault. */
const remembered: readonly number[] = [301_514, 302_501, 304_117]

/** `STORE_SEED=7 STORE_PROGRAMS=1` repeats one program; more of them look for more. */
const { STORE_SEED = Date.now() % 1_000_000_000, STORE_PROGRAMS = 200 } = process.env
const perTest = 50

const seeds = Array.from({ length: Number(STORE_PROGRAMS) }, (_, index) => Number(STORE_SEED) + index)
const parts = Array.from({ length: Math.ceil(seeds.length / perTest) }, (_, part) =>
  seeds.slice(part * perTest, (part + 1) * perTest),
)

describe('random programs on a store that fails one time in five', () => {
  it.each(
    [[...remembered], ...parts].filter((part) => part.length > 0).map((part) => [part[0], part] as const),
  )(
    'no acknowledged message is lost, nothing forgotten comes back, and no failed read is a miss: from STORE_SEED=%i on',
    { timeout: 60_000 },
    async (_, part) => {
      let acknowledged = 0
      for (const seed of part) {
        const report = await runProgram(seed)
        expect(report.problems, `STORE_SEED=${seed} STORE_PROGRAMS=1`).toEqual([])
        acknowledged += report.acknowledged
      }
      // Programs without effects prove nothing.
      expect(acknowledged).toBeGreaterThan(part.length * 3)
    },
  )
})
