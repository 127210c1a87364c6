import { type Clock, SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { expect, it } from 'vitest'

it('sweep in slices: completes while creations reclaim sessions that expired later', () => {
  const manual = new ManualClock()
  /** Duration of the listeners' work, in which no timer can fire. */
  let spentMs = 0
  const clock: Clock = {
    now: () => manual.now() + spentMs,
    setTimeout: (fn, ms) => manual.setTimeout(fn, ms),
    clearTimeout: (handle) => manual.clearTimeout(handle),
  }
  const timeoutMs = 12_800
  const never = Number.POSITIVE_INFINITY
  const registry = new SessionRegistry<number>({ clock, timeoutMs, intervalMs: 20_000, maxAgeMs: 20_000 })
  for (let index = 0; index < 30; index += 1) registry.set(`old ${index}`, index, { timeoutMs: never })
  manual.advance(7_450)
  for (let index = 0; index < 30; index += 1) registry.set(`idle ${index}`, index)
  const ended: string[] = []
  registry.on('ended', ({ id }) => {
    ended.push(id)
    if (ended.length === 1) {
      // The tick of the idle sessions has expired, their exact deadline has not, so the sweep finds them too
      // early.
      spentMs = 150
      registry.set('first', 1, { timeoutMs: never })
    } else if (ended.length === 10) {
      // Now they have expired. A creation reclaims a few of them, and leaves the others to the sweep.
      spentMs = 250
      registry.set('second', 2)
      registry.set('third', 3)
    }
  })
  manual.advance(20_000 - manual.now())

  expect(ended.filter((id) => id.startsWith('old'))).toHaveLength(30)
  expect(ended.filter((id) => id.startsWith('idle')).length).toBeLessThan(30)
  registry.sweep()
  expect(ended).toHaveLength(60)
  expect(Array.from(registry.keys())).toEqual(['first', 'second', 'third'])
})
