import type { Channel } from 'node:diagnostics_channel'
import type { EndReason } from '../../core/end-reason.ts'
import { systemClock } from '../../core/time/clock.ts'
import {
  endedChannel,
  errorChannel,
  type SessionMessages,
  type SessionTraces,
  tracingChannels,
} from '../../core/watching/channels.ts'
import type { Origin } from '../../core/watching/origin.ts'
import { Subscriptions } from '../observing/subscriptions.ts'
import { codesOf } from './error-codes.ts'
import { Ring } from './ring.ts'

/** Ends and failures that are kept of each registry: a page shows them all. */
const maxKept = 50

/** A session that has ended. */
export interface RecordedEnd {
  readonly ref: string
  readonly reason: EndReason
  readonly idleMs: number
  readonly ageMs: number
  /** Monotonic time. */
  readonly at: number
}

/** A failure that was contained, or of one attempt. */
export interface RecordedFailure {
  readonly what: 'archive' | 'save' | 'error'
  readonly ref: string | undefined
  readonly attempt: number | undefined
  /** The event whose listener failed. */
  readonly event: string | undefined
  /** Codes only. */
  readonly code: string
  /** Monotonic time. */
  readonly at: number
}

/** What one registry has published since the inspector was made. */
export class RegistryActivity {
  readonly endsByReason = new Map<EndReason, number>()
  readonly failureCounts = { archive: 0, save: 0, error: 0 }
  readonly ends = new Ring<RecordedEnd>(maxKept)
  readonly failures = new Ring<RecordedFailure>(maxKept)

  onEnded({ ref, reason, idleMs, ageMs }: SessionMessages['ended']): void {
    this.endsByReason.set(reason, (this.endsByReason.get(reason) ?? 0) + 1)
    this.ends.add({ ref, reason, idleMs, ageMs, at: systemClock.now() })
  }

  onFailed(what: 'archive' | 'save', { ref, attempt, error }: SessionTraces['archive' | 'save']): void {
    this.#addFailure({ what, ref, attempt, event: undefined }, error)
  }

  onError({ ref, event, error }: SessionMessages['error']): void {
    this.#addFailure({ what: 'error', ref, attempt: undefined, event }, error)
  }

  #addFailure(about: Omit<RecordedFailure, 'code' | 'at'>, error: unknown): void {
    this.failureCounts[about.what] += 1
    this.failures.add({ ...about, code: codesOf(error), at: systemClock.now() })
  }
}

/** What registries publish on the channels, from the construction until {@link stop}. */
export class ActivityLog {
  readonly #byOrigin = new Map<Origin, RegistryActivity>()
  // A listener of these never throws: what it reads of an error is guarded.
  readonly #subscriptions = new Subscriptions(
    (origin) => this.#byOrigin.has(origin),
    () => {},
  )

  constructor() {
    const { archive, save } = tracingChannels
    this.#add<SessionMessages['ended']>(endedChannel, (activity, message) => activity.onEnded(message))
    this.#add<SessionMessages['error']>(errorChannel, (activity, message) => activity.onError(message))
    this.#add<SessionTraces['archive']>(archive.error, (activity, trace) =>
      activity.onFailed('archive', trace),
    )
    this.#add<SessionTraces['save']>(save.error, (activity, trace) => activity.onFailed('save', trace))
  }

  /** Records what a registry publishes from now on. */
  record(origin: Origin | undefined): RegistryActivity {
    if (origin === undefined) return new RegistryActivity()
    const activity = this.#byOrigin.get(origin) ?? new RegistryActivity()
    this.#byOrigin.set(origin, activity)
    return activity
  }

  /** Ends the subscriptions. What was recorded stays. */
  stop(): void {
    this.#subscriptions.end()
  }

  #add<M>(channel: Channel, record: (activity: RegistryActivity, message: M) => void): void {
    this.#subscriptions.add<M>(channel, (message, origin) => {
      const activity = this.#byOrigin.get(origin)
      if (activity !== undefined) record(activity, message)
    })
  }
}
