import { ManualClock } from 'session-registry/testing'
import { RegistryEmitter } from '../../../src/core/events/listener-tracker.ts'
import { TimeoutList } from '../../../src/core/time/timeout-list.ts'
import { quietStep } from '../../support/quiet-step.ts'
import type { TrackingClock } from '../../support/tracking-clock.ts'

/** The time of a clock whose own `now` may be replaced. */
export const timeOf = (clock: ManualClock) => ManualClock.prototype.now.call(clock)

interface ListOptions {
  readonly clock?: ManualClock
  /** In place of `clock`, which moves it. */
  readonly tracking?: TrackingClock
  readonly durationMs?: number
  readonly onDue?: (value: string, lastedMs: number) => void
}

/** A list of waits of 100 ms by default, and what has come due, with the time. */
export function newTimeoutList({
  tracking,
  durationMs = 100,
  onDue,
  clock = new ManualClock(),
}: ListOptions = {}) {
  const moved = tracking?.manual ?? clock
  const emitter = new RegistryEmitter<{ error: [unknown] }>()
  const errors: unknown[] = []
  emitter.on('error', (error) => errors.push(error))
  const { events } = quietStep(emitter)
  const due: [value: string, at: number][] = []
  const list = new TimeoutList<string>(
    { clock: tracking ?? clock, events },
    {
      durationMs,
      failure: 'a turn could not be timed',
      onDue: (value, lastedMs) => {
        due.push([value, timeOf(moved)])
        onDue?.(value, lastedMs)
      },
    },
  )
  return { clock: moved, list, due, errors }
}
