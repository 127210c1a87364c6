import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { onTestFinished } from 'vitest'

/** A value of a metric, with its attributes. */
export interface Point {
  readonly attributes: {
    readonly registry?: unknown
    readonly state?: unknown
    readonly reason?: unknown
    readonly 'error.type'?: unknown
  }
  readonly value: unknown
}

/** What a histogram has recorded with some attributes. */
export interface Recorded {
  readonly attributes: Point['attributes']
  readonly count: number
  readonly sum: number | undefined
}

/** The SDK of OpenTelemetry, with exporters in memory, until the test has finished. */
export class Telemetry {
  readonly meterProvider: MeterProvider
  readonly tracerProvider: BasicTracerProvider
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  readonly #spans = new InMemorySpanExporter()

  constructor() {
    const reader = new PeriodicExportingMetricReader({
      exporter: this.#metrics,
      exportIntervalMillis: 3_600_000,
    })
    this.meterProvider = new MeterProvider({ readers: [reader] })
    this.tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#spans)] })
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    onTestFinished(async () => {
      context.disable()
      await this.meterProvider.shutdown()
      await this.tracerProvider.shutdown()
    })
  }

  /** The providers, as options of `instrument`. */
  get providers() {
    const { meterProvider, tracerProvider } = this
    return { meterProvider, tracerProvider }
  }

  get tracer() {
    return this.tracerProvider.getTracer('test')
  }

  /** The spans that have ended, in that order. */
  get spans(): readonly ReadableSpan[] {
    return this.#spans.getFinishedSpans()
  }

  spanOf(name: string): ReadableSpan {
    const found = this.spans.filter((span) => span.name === name)
    if (found.length !== 1) throw new Error(`Expected one span ${name}, got ${found.length}`)
    return found[0] as ReadableSpan
  }

  /** Returns the points of a metric, without the start of its name, as they are now. */
  async points(name: string): Promise<readonly Point[]> {
    this.#metrics.reset()
    await this.meterProvider.forceFlush()
    const metrics = this.#metrics.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    return metrics
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => descriptor.name === `session_registry.${name}`)
      .flatMap(({ dataPoints }): readonly Point[] => dataPoints)
      .map(({ attributes, value }) => ({ attributes, value }))
  }

  /** Returns what a histogram has recorded. */
  async recorded(name: string): Promise<readonly Recorded[]> {
    return (await this.points(name)).map(({ attributes, value }) => {
      const { count, sum } = value as Histogram
      return { attributes, count, sum }
    })
  }
}
