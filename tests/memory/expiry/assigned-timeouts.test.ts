import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { expect, it } from 'vitest'
import { cpuMs } from '../../support/cpu-time.ts'

const never = Number.POSITIVE_INFINITY
const count = 50_000

// A linear search for the place in the new timeout queue: 50 000 took minutes.
it.each([
  { to: 2_000_000, maxSessions: never },
  { to: 2_000_000, maxSessions: count },
  { to: never, maxSessions: never },
  { to: never, maxSessions: count },
])(
  'session.timeoutMs: assigning $to to each of 50 000 sessions costs no more per session than to a few, with a cap of $maxSessions',
  ({ to, maxSessions }) => {
    const clock = new ManualClock()
    const registry = new SessionRegistry<number>({ clock, timeoutMs: 1_000_000, maxSessions })
    for (let index = 0; index < count; index += 1) {
      registry.set(`${index}`, index)
      clock.advance(1)
    }
    const sessions = [...registry.sessions()].toReversed()
    const tookMs = cpuMs(() => {
      for (const session of sessions) session.timeoutMs = to
    })

    expect(tookMs).toBeLessThan(2_000)
    expect([...registry.keys()].slice(0, 2)).toEqual(['0', '1'])
    clock.advance(1_000_000)
    expect(registry.sweep()).toBe(0)
    clock.advance(1_000_000)
    expect(registry.sweep()).toBe(to === never ? 0 : count)
  },
  30_000,
)

it('session.timeoutMs: sessions with an assigned timeout expire at their own deadlines, at any tick size', () => {
  const clock = new ManualClock()
  const registry = new SessionRegistry<number>({ clock, timeoutMs: 30 * 86_400_000, intervalMs: 1_000 })
  const ended: string[] = []
  registry.on('ended', ({ id }) => ended.push(`${id} ${clock.now()}`))
  // A tick of 30 days is ten seconds: one list per tick.
  for (let index = 0; index < 300; index += 1) {
    registry.set(`${index}`, index)
    clock.advance(10_000)
  }
  const now = clock.now()
  for (const session of registry.sessions()) session.timeoutMs = 4_000_000
  clock.advance(4_000_000)

  const deadlines = Array.from({ length: 300 }, (_, index) => `${index} ${index * 10_000 + 4_000_000}`)
  expect(now).toBe(3_000_000)
  expect(ended).toEqual(deadlines)
})
