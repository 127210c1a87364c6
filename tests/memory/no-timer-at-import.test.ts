import { SessionRegistry } from 'session-registry'
import { expect, it, onTestFinished, vi } from 'vitest'
import { installFakeGlobals } from '../support/fake-globals.ts'
import { TrackingClock } from '../support/tracking-clock.ts'

// A timer started in a constructor breaks Workers, which forbid it at module level (rivet-dev/actors#4514).
it('constructor: starts no timer, with any options', () => {
  installFakeGlobals()
  const timers = ['setTimeout', 'setInterval', 'setImmediate'] as const
  const spies = timers.map((name) => vi.spyOn(globalThis, name))
  onTestFinished(() => void vi.restoreAllMocks())
  new SessionRegistry({
    timeoutMs: 1_000,
    intervalMs: 100,
    maxAgeMs: 5_000,
    maxSessions: 10,
    archive: async () => {},
    load: async () => undefined,
  })

  for (const spy of spies) expect(spy).not.toHaveBeenCalled()
})

// memorystore's timer kept processes from exiting (#11, #24, #31). A whole process that exits is in
// tests/package.
it('live registry: its timers do not keep the process alive', () => {
  const clock = new TrackingClock()
  const registry = new SessionRegistry({ clock, timeoutMs: 1_000, create: () => [] })
  registry.getOrCreate('a')
  registry.getOrCreate('b')
  registry.hold('b')
  expect(clock.waiting.size).toBe(2)

  expect(clock.refed).toBe(0)
})
