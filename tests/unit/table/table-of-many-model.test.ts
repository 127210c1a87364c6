import { expect, it } from 'vitest'
import { TableTrial, trialKinds } from './table-trial.ts'

const never = Number.POSITIVE_INFINITY

// Each order once, with sessions that get too old and without.
it.each([trialKinds[0], trialKinds[3]])(
  `is like an array, with many sessions: $timeoutMs ms, at most $maxAgeMs ms, $order`,
  (kind) => {
    const trial = new TableTrial({ ...kind, seed: 3 })
    const { table, model, random } = trial
    while (table.size <= 20_500) {
      // All within 300 ms, so that few are over before all are there.
      if (random.chance(0.02)) trial.now += 1
      trial.insert([0, 12_800, 50_000, never])
      if (random.chance(0.1)) trial.touchAny()
    }
    trial.compare()
    for (let step = 0; step < 1_000; step += 1) {
      trial.step()
      if (step % 333 === 332) trial.walk(trial.now)
    }
    trial.compare()
    while (table.size > 3_000) {
      const session = model.pick(random)
      if (session !== undefined) trial.remove(session)
    }
    trial.compare()
    for (let step = 0; step < 500; step += 1) trial.step()
    trial.walk(trial.now)
    trial.compare()
    expect(trial.leftAfterEmptying()).toBeUndefined()
  },
)
