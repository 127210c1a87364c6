import { expect, it } from 'vitest'
import { ChannelAudit } from '../support/channel-audit.ts'
import { describeOnRedis } from '../support/redis-suite.ts'
import { repeatedBy, seedsOf } from '../support/seeds.ts'
import { runProgram } from './programs/program.ts'

/** Seeds that once found a fault. */
const remembered: readonly number[] = [972_035_766]

describeOnRedis('random programs of several processes', (redis) => {
  it.each([...remembered, ...seedsOf({ rounds: 3 })])(
    'no acknowledged save is lost, attempts are counted, no turn continues from an old state, no stranger is let in, the last end is told, and what is published is in order: seed %i',
    { timeout: 120_000 },
    async (seed) => {
      // Processes are killed in the middle.
      const audit = new ChannelAudit({ isComplete: false, isShared: true })
      const program = runProgram(redis.url, seed).finally(() => audit.unsubscribe())
      const { problems, turns, refusals, archives } = await program

      expect([...problems, ...audit.problems()], repeatedBy(seed)).toEqual([])
      // A program without effects proves nothing.
      expect(turns).toBeGreaterThan(5)
      expect(refusals).toBeGreaterThan(0)
      expect(archives).toBeGreaterThan(5)
    },
  )
})
