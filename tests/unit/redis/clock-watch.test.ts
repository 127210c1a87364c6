import { expect, it } from 'vitest'
import { ClockWatch } from '../../../src/redis/clock-watch.ts'

const day = 24 * 3_600_000

it('a clock that is set forward by more than the limit is reported once, whatever the shard', () => {
  const watch = new ClockWatch(7 * day)
  const now = 1_700_000_000_000

  expect(watch.jumpTo(0, now)).toBeUndefined()
  expect(watch.jumpTo(1, now)).toBeUndefined()
  expect(watch.jumpTo(0, now + 6 * day)).toBeUndefined()
  expect(watch.jumpTo(1, now + 8 * day) ?? 0).toBeGreaterThan(7.9 * day)
  expect(watch.jumpTo(0, now + 8 * day)).toBeUndefined()
  // Back again: that loses nothing.
  expect(watch.jumpTo(0, now)).toBeUndefined()
  expect(watch.jumpTo(1, now)).toBeUndefined()
})
