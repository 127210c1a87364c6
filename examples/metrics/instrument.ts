import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { RegistryStats, SessionMessages, SessionTraces } from 'session-registry'

/*
 * The members of `@opentelemetry/api` that are used here. `metrics.getMeter('session-registry')` is a Meter,
 * `trace.getTracer('session-registry')` is a Tracer.
 */
type Attributes = Readonly<Record<string, string | number>>

interface ObservableGauge {
  addCallback(observe: (result: { observe(value: number, attributes: Attributes): void }) => void): void
}
export interface Meter {
  createObservableGauge(name: string, options: { description: string }): ObservableGauge
  createCounter(
    name: string,
    options: { description: string },
  ): {
    add(value: number, attributes: Attributes): void
  }
  createHistogram(
    name: string,
    options: { description: string; unit: string },
  ): {
    record(value: number, attributes: Attributes): void
  }
}
interface Span {
  recordException(error: Error | string): void
  setStatus(status: { code: number }): unknown
  end(): void
}
export interface Tracer {
  startSpan(name: string, options: { attributes: Attributes }): Span
}
interface Watched {
  stats(): RegistryStats
}

const statusError = 2 // `SpanStatusCode.ERROR`

/**
 * Sends the metrics and turns of registries to OpenTelemetry; the keys are the option `name` of each
 * registry. Call it after the SDK is set up. Returns a function that stops it.
 */
export function instrument(
  registries: Readonly<Record<string, Watched>>,
  { meter, tracer }: { readonly meter: Meter; readonly tracer: Tracer },
): () => void {
  meter
    .createObservableGauge('session_registry.sessions', { description: 'Sessions in memory' })
    .addCallback((result) => {
      for (const [registry, source] of Object.entries(registries)) {
        const { size, held, archiving, disposing } = source.stats()
        const states = { active: size - held, held, archiving, disposing }
        for (const [state, n] of Object.entries(states)) result.observe(n, { registry, state })
      }
    })
  const created = meter.createCounter('session_registry.created', { description: 'Sessions created' })
  const ended = meter.createCounter('session_registry.ended', { description: 'Sessions that ended' })
  const duration = meter.createHistogram('session_registry.turn.duration', {
    description: 'Duration of turns, their saves included',
    unit: 's',
  })
  const turns = new WeakMap<object, { readonly startedAt: number; readonly span: Span }>()

  const listeners: Readonly<Record<string, (message: unknown) => void>> = {
    'session-registry:created': (message) => {
      created.add(1, { registry: (message as SessionMessages['created']).registry })
    },
    'session-registry:ended': (message) => {
      const { registry, reason } = message as SessionMessages['ended']
      ended.add(1, { registry, reason })
    },
    // Published in the async context of the call: the span is a child of the request's.
    'tracing:session-registry:turn:start': (message) => {
      const { registry, ref, waitedMs } = message as SessionTraces['turn']
      const attributes = { registry, 'gen_ai.conversation.id': ref, 'session_registry.waited_ms': waitedMs }
      const span = tracer.startSpan('session turn', { attributes })
      turns.set(message as object, { startedAt: performance.now(), span })
    },
    'tracing:session-registry:turn:asyncEnd': (message) => {
      const turn = turns.get(message as object)
      if (turn === undefined) return // it began before the subscription
      const trace = message as SessionTraces['turn']
      duration.record((performance.now() - turn.startedAt) / 1_000, { registry: trace.registry })
      if ('error' in trace) {
        turn.span.recordException(trace.error instanceof Error ? trace.error : String(trace.error))
        turn.span.setStatus({ code: statusError })
      }
      turn.span.end()
    },
  }
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener)
  return () => {
    for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener)
  }
}
