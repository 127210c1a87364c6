import { expect, it } from 'vitest'
import { ClockJumpDetector } from '../../../src/redis/archiving/clock-jump-detector.ts'

const day = 24 * 3_600_000

it('clock-jump detector: a clock set forward by more than the limit is reported once for all shards', () => {
  const watch = new ClockJumpDetector(7 * day)
  const now = 1_700_000_000_000

  expect(watch.observe(0, now)).toBeUndefined()
  expect(watch.observe(1, now)).toBeUndefined()
  expect(watch.observe(0, now + 6 * day)).toBeUndefined()
  expect(watch.observe(1, now + 8 * day) ?? 0).toBeGreaterThan(7.9 * day)
  expect(watch.observe(0, now + 8 * day)).toBeUndefined()
  // Set back: that loses nothing.
  expect(watch.observe(0, now)).toBeUndefined()
  expect(watch.observe(1, now)).toBeUndefined()
})
