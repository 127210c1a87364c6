import { expect, it } from 'vitest'
import { TableTrial, trialKinds } from './table-trial.ts'

const cases = trialKinds.flatMap((kind) => [1, 2].map((seed) => ({ ...kind, seed })))

const name = '$timeoutMs ms, at most $maxAgeMs ms, $order (seed $seed)'

it.each(cases)(`is like an array, with few sessions: ${name}`, (options) => {
  const trial = new TableTrial(options)
  for (let step = 0; step < 3_000; step += 1) {
    trial.step()
    if (step % 40 === 39) trial.walk(trial.now)
    if (step % 40 === 19) trial.walkBack()
    if (step % 10 === 9) trial.compare()
  }

  expect(trial.ended).toBeGreaterThan(100)
  expect(trial.leftAfterEmptying()).toBeUndefined()
})
