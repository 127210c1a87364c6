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

/**
 * What registries publish on the channels, from the construction until {@link stop}. Channels tell registries
 * apart by their names.
 */
export class ActivityLog {
  readonly #byName: ReadonlyMap<string, RegistryActivity>
  readonly #subscriptions: readonly (readonly [Channel, (message: unknown) => void])[]

  constructor(names: readonly string[]) {
    this.#byName = new Map(names.map((name) => [name, new RegistryActivity()]))
    const { archive, save } = tracingChannels
    this.#subscriptions = [
      [endedChannel, this.#listener<SessionMessages['ended']>((of, message) => of.onEnded(message))],
      [errorChannel, this.#listener<SessionMessages['error']>((of, message) => of.onError(message))],
      [archive.error, this.#listener<SessionTraces['archive']>((of, trace) => of.onFailed('archive', trace))],
      [save.error, this.#listener<SessionTraces['save']>((of, trace) => of.onFailed('save', trace))],
    ]
    for (const [channel, listener] of this.#subscriptions) channel.subscribe(listener)
  }

  of(name: string): RegistryActivity {
    return this.#byName.get(name) as RegistryActivity
  }

  /** Ends the subscriptions. What was recorded stays. */
  stop(): void {
    for (const [channel, listener] of this.#subscriptions) channel.unsubscribe(listener)
  }

  #listener<M extends { readonly registry: string }>(
    record: (activity: RegistryActivity, message: M) => void,
  ): (message: unknown) => void {
    return (message) => {
      const activity = this.#byName.get((message as M).registry)
      if (activity !== undefined) record(activity, message as M)
    }
  }
}
