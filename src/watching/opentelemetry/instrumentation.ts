import { diag, type MeterProvider, type ObservableResult, type TracerProvider } from '@opentelemetry/api'
import { createdChannel, endedChannel, type SessionMessages } from '../../core/watching/channels.ts'
import type { Origin } from '../../core/watching/origin.ts'
import { archiveBuckets, turnBuckets } from '../observing/buckets.ts'
import { FigureReader, sessionStates, sessionsByState } from '../observing/figures.ts'
import type { ObservedRegistry } from '../observing/observed-registry.ts'
import { Subscriptions } from '../observing/subscriptions.ts'
import { isTimed } from '../observing/timed-turns.ts'
import { errorType } from './error-type.ts'
import { TurnSpan } from './turn-span.ts'

/** The scope of our instruments and spans. */
const scope = 'session-registry'

/** What sends the metrics and turns of one registry to one pair of providers. */
export class Instrumentation {
  /** The calls that have asked for it, and have not been undone. */
  calls = 0
  readonly #registry: ObservedRegistry
  readonly #reader: FigureReader
  readonly #meterProvider: MeterProvider
  readonly #tracerProvider: TracerProvider
  readonly #attributes: { readonly registry: string }
  readonly #subscriptions: Subscriptions
  readonly #stopObserving: () => void

  constructor(
    registry: ObservedRegistry,
    origin: Origin,
    meterProvider: MeterProvider,
    tracerProvider: TracerProvider,
  ) {
    this.#registry = registry
    this.#reader = new FigureReader(registry)
    this.#meterProvider = meterProvider
    this.#tracerProvider = tracerProvider
    this.#attributes = { registry: origin.name }
    this.#subscriptions = new Subscriptions(
      (other) => other === origin,
      (error) => diag.error('session-registry: a message could not be recorded', error),
    )
    this.#stopObserving = this.#observeSessions()
    this.#countSessions()
    this.#timeTurns()
    this.#timeArchives()
  }

  isFor(meterProvider: MeterProvider, tracerProvider: TracerProvider): boolean {
    return this.#meterProvider === meterProvider && this.#tracerProvider === tracerProvider
  }

  stop(): void {
    this.#stopObserving()
    this.#subscriptions.end()
  }

  #observeSessions(): () => void {
    const gauge = this.#meter.createObservableGauge('session_registry.sessions', {
      description: 'Sessions by state. On Redis only the active ones are of all processes',
      unit: '{session}',
    })
    const observe = (result: ObservableResult) => this.#observe(result)
    gauge.addCallback(observe)
    return () => gauge.removeCallback(observe)
  }

  async #observe(result: ObservableResult): Promise<void> {
    const stats = await this.#reader.readStats()
    if (stats === undefined || this.#registry.state === 'closed') return
    const states = sessionsByState(stats)
    for (const state of sessionStates) {
      if (Number.isFinite(states[state])) result.observe(states[state], { ...this.#attributes, state })
    }
  }

  #countSessions(): void {
    const created = this.#meter.createCounter('session_registry.created', {
      description: 'Sessions created, loaded ones included',
      unit: '{session}',
    })
    const ended = this.#meter.createCounter('session_registry.ended', {
      description: 'Sessions ended, by reason',
      unit: '{session}',
    })
    this.#subscriptions.add(createdChannel, () => created.add(1, this.#attributes))
    this.#subscriptions.add<SessionMessages['ended']>(endedChannel, ({ reason }) =>
      ended.add(1, { ...this.#attributes, reason }),
    )
  }

  #timeTurns(): void {
    const duration = this.#histogram(
      'session_registry.turn.duration',
      'Duration of turns that exclude others, with their saves',
      turnBuckets,
    )
    const wait = this.#histogram(
      'session_registry.turn.wait',
      'Time from a call to the start of its turn, of turns that exclude others',
      turnBuckets,
    )
    const tracer = this.#tracerProvider.getTracer(scope)
    this.#subscriptions.time('turn', {
      onStart: (message) => {
        if (isTimed(message)) wait.record(message.waitedMs / 1_000, this.#attributes)
        return new TurnSpan(tracer, message)
      },
      onEnd: (message, seconds, span) => {
        try {
          if (isTimed(message)) duration.record(seconds, this.#outcomeOf(message))
        } finally {
          span.end(message)
        }
      },
      onAbandoned: (span) => span.end(),
    })
  }

  #timeArchives(): void {
    const duration = this.#histogram(
      'session_registry.archive.duration',
      'Duration of attempts to archive a session',
      archiveBuckets,
    )
    this.#subscriptions.time('archive', {
      onStart: () => {},
      onEnd: (message, seconds) => duration.record(seconds, this.#outcomeOf(message)),
    })
  }

  #outcomeOf(message: { readonly error?: unknown }): Readonly<Record<string, string>> {
    if (!('error' in message)) return this.#attributes
    return { ...this.#attributes, 'error.type': errorType(message.error) }
  }

  #histogram(name: string, description: string, buckets: readonly number[]) {
    const advice = { explicitBucketBoundaries: [...buckets] }
    return this.#meter.createHistogram(name, { description, unit: 's', advice })
  }

  get #meter() {
    return this.#meterProvider.getMeter(scope)
  }
}
