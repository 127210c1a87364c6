import { expect, it } from 'vitest'
import { backoffMs } from '../../../src/core/time/backoff.ts'
import { archiveBackoff } from '../../../src/redis/archiving/archive-job.ts'

it('archive backoff: the pauses between twelve attempts add up to minutes, and none exceeds two', () => {
  const pauses = Array.from({ length: 11 }, (_, index) => backoffMs(index + 1, archiveBackoff))
  const sum = pauses.reduce((total, ms) => total + ms)

  expect(pauses[0]).toBe(200)
  expect(Math.max(...pauses)).toBe(120_000)
  // Jitter takes up to half of it.
  expect(sum / 2).toBeGreaterThan(2 * 60_000)
  expect(sum).toBeLessThan(10 * 60_000)
})
