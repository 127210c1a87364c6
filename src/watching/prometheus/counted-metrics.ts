import { Counter, Histogram } from 'prom-client'
import type { EndReason } from '../../core/end-reason.ts'
import { ownFields } from '../../core/options/validate.ts'
import { emitWarning } from '../../core/process/warning.ts'
import { endedChannel, type SessionMessages } from '../../core/watching/channels.ts'
import type { Origin } from '../../core/watching/origin.ts'
import { archiveBuckets, turnBuckets } from '../observing/buckets.ts'
import { Subscriptions } from '../observing/subscriptions.ts'
import { isTimed } from '../observing/timed-turns.ts'
import type { NamedMetric } from './registered-metrics.ts'

const endReasons: readonly EndReason[] = ['idle', 'age', 'capacity', 'deleted', 'replaced', 'closed']

const names = {
  ended: 'session_registry_ended_total',
  failed: 'session_registry_turns_failed_total',
  turn: 'session_registry_turn_duration_seconds',
  wait: 'session_registry_turn_wait_seconds',
  archive: 'session_registry_archive_duration_seconds',
} as const

/**
 * The metrics that are counted as things happen, from the channels. Labels have no prototype, since
 * prom-client refuses those that one has which is polluted.
 */
export class CountedMetrics {
  readonly #ended = counter(names.ended, 'Sessions ended, by reason', 'reason')
  readonly #failed = counter(names.failed, 'Turns that exclude others and were rejected')
  readonly #turn = histogram(
    names.turn,
    'Duration of turns that exclude others, with their saves',
    turnBuckets,
  )
  readonly #wait = histogram(
    names.wait,
    'Time from a call to the start of its turn, of turns that exclude others',
    turnBuckets,
  )
  readonly #archive = histogram(names.archive, 'Duration of attempts to archive a session', archiveBuckets)
  readonly #subscriptions: Subscriptions

  /** `accepts`: whether the registry of a message is counted. */
  constructor(accepts: (origin: Origin) => boolean) {
    this.#subscriptions = new Subscriptions(accepts, () =>
      emitWarning('A metric of a session registry could not be counted by prom-client'),
    )
    this.#subscribe()
  }

  /** All of them, not registered yet. */
  get metrics(): readonly NamedMetric[] {
    return [
      { name: names.ended, metric: this.#ended },
      { name: names.failed, metric: this.#failed },
      ...this.#histograms,
    ]
  }

  /** Begins the series of a name at 0: otherwise `rate()` misses the first event of each. */
  begin(registry: string): void {
    for (const reason of endReasons) this.#ended.inc(ownFields({ registry, reason }), 0)
    this.#failed.inc(ownFields({ registry }), 0)
    for (const { metric } of this.#histograms) metric.zero(ownFields({ registry }))
  }

  /** Removes the series of a name. */
  remove(registry: string): void {
    for (const reason of endReasons) this.#ended.remove(ownFields({ registry, reason }))
    this.#failed.remove(ownFields({ registry }))
    for (const { metric } of this.#histograms) metric.remove(ownFields({ registry }))
  }

  stop(): void {
    this.#subscriptions.end()
  }

  get #histograms(): readonly { readonly name: string; readonly metric: Histogram }[] {
    return [
      { name: names.turn, metric: this.#turn },
      { name: names.wait, metric: this.#wait },
      { name: names.archive, metric: this.#archive },
    ]
  }

  #subscribe(): void {
    this.#subscriptions.add<SessionMessages['ended']>(endedChannel, ({ registry, reason }) => {
      this.#ended.inc(ownFields({ registry, reason }))
    })
    this.#subscriptions.time('turn', {
      onStart: (message) => {
        const { registry, waitedMs } = message
        if (isTimed(message)) this.#wait.observe(ownFields({ registry }), waitedMs / 1_000)
      },
      onEnd: (message, seconds) => {
        const { registry } = message
        if (!isTimed(message)) return
        this.#turn.observe(ownFields({ registry }), seconds)
        if ('error' in message) this.#failed.inc(ownFields({ registry }))
      },
    })
    this.#subscriptions.time('archive', {
      onStart: () => {},
      onEnd: ({ registry }, seconds) => this.#archive.observe(ownFields({ registry }), seconds),
    })
  }
}

function counter(name: string, help: string, ...labels: readonly string[]): Counter {
  return new Counter({ name, help, labelNames: ['registry', ...labels], registers: [] })
}

function histogram(name: string, help: string, buckets: readonly number[]): Histogram {
  return new Histogram({ name, help, labelNames: ['registry'], buckets: [...buckets], registers: [] })
}
