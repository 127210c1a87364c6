import { expect, it } from 'vitest'
import { harnessKinds, TableHarness } from './table-harness.ts'

const cases = harnessKinds.flatMap((kind) => [1, 2].map((seed) => ({ ...kind, seed })))

const name = '$timeoutMs ms, at most $maxAgeMs ms, $order (seed $seed)'

it.each(cases)(`is like an array, with few sessions: ${name}`, (options) => {
  const harness = new TableHarness(options)
  for (let step = 0; step < 3_000; step += 1) {
    harness.step()
    if (step % 40 === 39) harness.walk(harness.now)
    if (step % 40 === 19) harness.walkBack()
    if (step % 10 === 9) harness.compare()
  }

  expect(harness.ended).toBeGreaterThan(100)
  expect(harness.leftAfterEmptying()).toBeUndefined()
})
