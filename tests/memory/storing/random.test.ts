import { describe, expect, it } from 'vitest'
import { RandomEffects } from '../../support/random-effects.ts'
import { repeatedBy, seedsOf } from '../../support/seeds.ts'
import { runProgram } from './programs/program.ts'

/** Seeds that once found a fault. */
const remembered: readonly number[] = [301_514, 302_501, 304_117]

const perTest = 50
const seeds = [...remembered, ...seedsOf({ rounds: 200 })]
const parts = Array.from({ length: Math.ceil(seeds.length / perTest) }, (_, part) =>
  seeds.slice(part * perTest, (part + 1) * perTest),
)

describe('random programs on a store that fails one time in five', () => {
  it.each(parts.map((part) => [part[0], part] as const))(
    'no acknowledged message is lost, nothing forgotten comes back, and no failed read is a miss: from seed %i on',
    { timeout: 600_000 },
    async (_, part) => {
      const effects = new RandomEffects()
      for (const seed of part) {
        const { problems, acknowledged } = await runProgram(seed)
        expect(problems, repeatedBy(seed)).toEqual([])
        effects.add({ acknowledged })
      }

      effects.expectMeans({ acknowledged: 8 })
    },
  )
})
