import process from 'node:process'
import { describe, expect, it, vi } from 'vitest'
import { ChannelAudit } from '../../support/channel-audit.ts'
import { Random } from '../../support/random.ts'
import { runProgram as runDisposals } from '../disposal/random/program.ts'
import { runProgram as runSaves } from '../storing/programs/program.ts'

/** `WATCHING_SEED=7 WATCHING_ROUNDS=1` repeats one program of each kind; more rounds look for more. */
const { WATCHING_SEED = Date.now() % 1_000_000_000, WATCHING_ROUNDS = 30 } = process.env
const firstSeed = Number(WATCHING_SEED)
const rounds = Number(WATCHING_ROUNDS)

/** Runs a program for each seed, and returns how much was published in all. */
async function audited(
  run: (seed: number) => Promise<{ readonly problems: readonly string[] }>,
  { isComplete }: { readonly isComplete: boolean },
): Promise<{ readonly created: number; readonly counts: Record<string, number> }> {
  const counts: Record<string, number> = {}
  let created = 0
  for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
    // The jitter of retries is seeded as well.
    const jitter = new Random(seed + 1)
    vi.spyOn(Math, 'random').mockImplementation(() => jitter.next())
    const audit = new ChannelAudit({ isComplete })
    try {
      const { problems } = await run(seed)
      expect([...problems, ...audit.problems()], `WATCHING_SEED=${seed}`).toEqual([])
    } finally {
      audit.unsubscribe()
      vi.restoreAllMocks()
    }
    created += audit.created
    for (const [operation, count] of Object.entries(audit.counts))
      counts[operation] = (counts[operation] ?? 0) + count
  }
  return { created, counts }
}

describe('the channels in random programs', () => {
  it('with disposals, until `close`: sessions end once, and traces are complete', {
    timeout: 60_000,
  }, async () => {
    const { created, counts } = await audited(runDisposals, { isComplete: true })

    // Programs without effects prove nothing.
    expect(created).toBeGreaterThan(5 * rounds)
    for (const operation of ['turn', 'create', 'load', 'archive', 'dispose'])
      expect(counts[operation], operation).toBeGreaterThan(rounds)
  })

  it('with a store that fails, and processes that crash: traces are in order', {
    timeout: 60_000,
  }, async () => {
    const { created, counts } = await audited(runSaves, { isComplete: false })

    expect(created).toBeGreaterThan(3 * rounds)
    for (const operation of ['turn', 'load', 'archive', 'save'])
      expect(counts[operation], operation).toBeGreaterThan(rounds)
  })
})
