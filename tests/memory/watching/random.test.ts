import { describe, expect, it, vi } from 'vitest'
import { ChannelAudit } from '../../support/channel-audit.ts'
import { Random } from '../../support/random.ts'
import { RandomEffects } from '../../support/random-effects.ts'
import { repeatedBy, seedsOf } from '../../support/seeds.ts'
import { runProgram as runDisposals } from '../disposal/random/program.ts'
import { runProgram as runSaves } from '../storing/programs/program.ts'

/** Runs a program for each seed, and returns what was published in all. */
async function audited(
  run: (seed: number) => Promise<{ readonly problems: readonly string[] }>,
  { isComplete }: { readonly isComplete: boolean },
): Promise<RandomEffects> {
  const effects = new RandomEffects()
  for (const seed of seedsOf({ rounds: 60 })) {
    // The jitter of retries is seeded as well.
    const jitter = new Random(seed + 1)
    vi.spyOn(Math, 'random').mockImplementation(() => jitter.next())
    const audit = new ChannelAudit({ isComplete })
    try {
      const { problems } = await run(seed)
      expect([...problems, ...audit.problems()], repeatedBy(seed)).toEqual([])
    } finally {
      audit.unsubscribe()
      vi.restoreAllMocks()
    }
    effects.add({ ...audit.counts, created: audit.created })
  }
  return effects
}

describe('the channels in random programs', () => {
  it('with disposals, until `close`: sessions end once, and traces are complete', {
    timeout: 600_000,
  }, async () => {
    const effects = await audited(runDisposals, { isComplete: true })

    effects.expectMeans({ created: 3, turn: 2, create: 2, load: 0.1, archive: 0.5, dispose: 2 })
  })

  it('with a store that fails, and processes that crash: traces are in order', {
    timeout: 600_000,
  }, async () => {
    const effects = await audited(runSaves, { isComplete: false })

    effects.expectMeans({ created: 10, turn: 10, load: 10, archive: 5, save: 5 })
  })
})
