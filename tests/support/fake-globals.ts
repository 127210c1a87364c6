import FakeTimers, { type Clock } from '@sinonjs/fake-timers'
import { onTestFinished } from 'vitest'

/** Replaces the host's clocks and timers by fake ones until the test ends. */
export function installFakeGlobals(): Clock {
  const clock = FakeTimers.install({
    now: Date.UTC(2024, 0, 1),
    // The host's HTTP client clears timers that it set before.
    shouldClearNativeTimers: true,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
  onTestFinished(() => clock.uninstall())
  return clock
}
