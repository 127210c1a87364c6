/**
 * Metrics of registries, and a span for each turn, for OpenTelemetry: {@link instrument}.
 *
 * @module
 */
export type { ObservedRegistry } from './observing/observed-registry.ts'
export { type InstrumentOptions, instrument } from './opentelemetry/instrument.ts'
