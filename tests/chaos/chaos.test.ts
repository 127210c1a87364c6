import { expect, it, vi } from 'vitest'
import { Random } from '../support/random.ts'
import { RandomEffects } from '../support/random-effects.ts'
import { repeatedBy, seedsOf } from '../support/seeds.ts'
import { chaos } from './chaos.ts'

/** Seeds that once found a fault. */
const remembered: readonly number[] = [984_629_414, 100_001_103]

async function problemsOf(seed: number) {
  // The jitter of the archive retries is seeded as well.
  const jitter = new Random(seed + 1)
  vi.spyOn(Math, 'random').mockImplementation(() => jitter.next())
  const report = await chaos(seed)
  vi.restoreAllMocks()
  return report
}

it.each(remembered)('chaos: the promises hold for seed %i, which once broke one', async (seed) => {
  expect((await problemsOf(seed)).problems).toEqual([])
})

it('chaos: the promises hold', { timeout: 3_600_000 }, async () => {
  const effects = new RandomEffects()
  for (const seed of seedsOf({ rounds: 200 })) {
    const { problems, sessions, messages } = await problemsOf(seed)
    expect(problems, repeatedBy(seed)).toEqual([])
    effects.add({ sessions, messages })
  }

  effects.expectMeans({ sessions: 5, messages: 2 })
})
