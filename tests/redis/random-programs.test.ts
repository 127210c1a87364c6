import process from 'node:process'
import { expect, it } from 'vitest'
import { ChannelAudit } from '../support/channel-audit.ts'
import { describeOnRedis } from '../support/redis-suite.ts'
import { runProgram } from './programs/program.ts'

/** Seeds that once found a fault. */
const remembered: readonly number[] = [972_035_766]

/** `PROGRAM_SEED=7 PROGRAM_ROUNDS=1` repeats one; more rounds look for more. */
const { PROGRAM_SEED = Date.now() % 1_000_000_000, PROGRAM_ROUNDS = 3 } = process.env
const seeds = Array.from({ length: Number(PROGRAM_ROUNDS) }, (_, index) => Number(PROGRAM_SEED) + index)

describeOnRedis('random programs of several processes', (redis) => {
  it.each([...remembered, ...seeds])(
    'no acknowledged save is lost, attempts are counted, no turn continues from an old state, no stranger is let in, the last end is told, and what is published is in order: PROGRAM_SEED=%i',
    { timeout: 120_000 },
    async (seed) => {
      // Processes are killed in the middle.
      const audit = new ChannelAudit({ isComplete: false, isShared: true })
      const program = runProgram(redis.url, seed).finally(() => audit.unsubscribe())
      const { problems, turns, refusals, archives } = await program

      expect([...problems, ...audit.problems()], `PROGRAM_SEED=${seed} PROGRAM_ROUNDS=1`).toEqual([])
      // A program without effects proves nothing.
      expect(turns).toBeGreaterThan(5)
      expect(refusals).toBeGreaterThan(0)
      expect(archives).toBeGreaterThan(5)
    },
  )
})
