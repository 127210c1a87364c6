import type { Clock } from 'session-registry'
import { ManualClock } from 'session-registry/testing'

/** A timer handle like Node's, which records whether it keeps the process alive. */
class TrackedHandle {
  refed = true
  inner: unknown

  ref(): this {
    this.refed = true
    return this
  }

  unref(): this {
    this.refed = false
    return this
  }
}

/**
 * A manual clock that records every delay, and which timers keep the process alive.
 *
 * Its wall clock can be set apart from its monotonic one.
 */
export class TrackingClock implements Clock {
  readonly manual = new ManualClock()
  readonly delays: number[] = []
  readonly waiting = new Set<TrackedHandle>()
  wallShiftMs = 0

  now(): number {
    return this.manual.now()
  }

  date(): number {
    return this.manual.date() + this.wallShiftMs
  }

  setTimeout(fn: () => void, ms: number): unknown {
    this.delays.push(ms)
    const handle = new TrackedHandle()
    this.waiting.add(handle)
    handle.inner = this.manual.setTimeout(() => {
      this.waiting.delete(handle)
      fn()
    }, ms)
    return handle
  }

  clearTimeout(handle: unknown): void {
    if (!(handle instanceof TrackedHandle)) return
    this.waiting.delete(handle)
    this.manual.clearTimeout(handle.inner)
  }

  /** The number of pending timers that keep the process alive. */
  get refed(): number {
    return [...this.waiting].filter((handle) => handle.refed).length
  }
}
