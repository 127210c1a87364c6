import { expect, it } from 'vitest'
import { harnessKinds, TableHarness } from './table-harness.ts'

const never = Number.POSITIVE_INFINITY

// Each order once, with sessions that get too old and without.
it.each([harnessKinds[0], harnessKinds[3]])(
  `is like an array, with many sessions: $timeoutMs ms, at most $maxAgeMs ms, $order`,
  (kind) => {
    const harness = new TableHarness({ ...kind, seed: 3 })
    const { table, model, random } = harness
    while (table.size <= 20_500) {
      // All within 300 ms, so that few are over before all are there.
      if (random.chance(0.02)) harness.now += 1
      harness.insert([0, 12_800, 50_000, never])
      if (random.chance(0.1)) harness.touchAny()
    }
    harness.compare()
    for (let step = 0; step < 1_000; step += 1) {
      harness.step()
      if (step % 333 === 332) harness.walk(harness.now)
    }
    harness.compare()
    while (table.size > 3_000) {
      const session = model.pick(random)
      if (session !== undefined) harness.remove(session)
    }
    harness.compare()
    for (let step = 0; step < 500; step += 1) harness.step()
    harness.walk(harness.now)
    harness.compare()
    expect(harness.leftAfterEmptying()).toBeUndefined()
  },
)
