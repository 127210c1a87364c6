import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { checkOptions, invalidOption } from '../../core/options/validate.ts'
import { type ObservedRegistry, originOfRegistry } from '../observing/observed-registry.ts'
import { Instrumentation } from './instrumentation.ts'

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** @defaultValue the global one, as it is at the call */
  readonly meterProvider?: MeterProvider | undefined
  /** @defaultValue the global one */
  readonly tracerProvider?: TracerProvider | undefined
}

// In the global symbol registry, on the registry: the module may be loaded twice, as ESM and CJS or by a hot
// reload.
const key = Symbol.for('session-registry.opentelemetry')

interface Instrumented {
  readonly [key]?: Set<Instrumentation>
}

/**
 * Sends the metrics of a registry, and a span for each turn, to OpenTelemetry. Returns a function that undoes
 * it; spans of turns that are running end then.
 *
 * Call it after the SDK is set up: metrics of a global meter provider that is set later stay without effect.
 * A further call with the same providers adds nothing, and then the last undo counts.
 *
 * The span of a turn is a child of the caller's span, and the parent of those that the turn starts. It has
 * the `ref` of the session as `gen_ai.conversation.id`. Neither spans nor metrics have an id, an owner, a
 * value, or the message of an error.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const undo = instrument(sessions)
 */
export function instrument(registry: ObservedRegistry, options?: InstrumentOptions): () => void {
  const origin = originOfRegistry('registry', registry)
  const given = checkOptions('options', options, ['meterProvider', 'tracerProvider'])
  const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = given
  if (typeof meterProvider?.getMeter !== 'function') {
    throw invalidOption('meterProvider', 'a meter provider of OpenTelemetry', meterProvider)
  }
  if (typeof tracerProvider?.getTracer !== 'function') {
    throw invalidOption('tracerProvider', 'a tracer provider of OpenTelemetry', tracerProvider)
  }
  const all = instrumentationsOf(registry)
  const existing = [...all].find((one) => one.isFor(meterProvider, tracerProvider))
  const instrumentation = existing ?? new Instrumentation(registry, origin, meterProvider, tracerProvider)
  all.add(instrumentation)
  instrumentation.calls += 1
  let isUndone = false
  return () => {
    if (isUndone) return
    isUndone = true
    instrumentation.calls -= 1
    if (instrumentation.calls > 0) return
    all.delete(instrumentation)
    instrumentation.stop()
  }
}

function instrumentationsOf(registry: ObservedRegistry): Set<Instrumentation> {
  const existing = (registry as Instrumented)[key]
  if (existing !== undefined) return existing
  const value = new Set<Instrumentation>()
  Object.defineProperty(registry, key, { value })
  return value
}
