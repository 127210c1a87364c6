/**
 * Metrics of registries for Prometheus, by prom-client: {@link collect}.
 *
 * @module
 */
export type { ObservedRegistry } from './observing/observed-registry.ts'
export { type CollectOptions, collect } from './prometheus/collect.ts'
