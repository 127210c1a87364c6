import { register as globalRegister, type Registry, type RegistryContentType } from 'prom-client'
import { checkOptions, invalidOption } from '../../core/options/validate.ts'
import { type ObservedRegistry, originOfRegistry } from '../observing/observed-registry.ts'
import { Collection } from './collection.ts'

/** Options of {@link collect}. */
export interface CollectOptions {
  /**
   * The register of prom-client that has the metrics.
   *
   * @defaultValue the global `register` of prom-client
   */
  readonly register?: Registry<RegistryContentType> | undefined
}

/**
 * Adds the metrics of one or several registries to a register of prom-client. Returns a function that takes
 * them out again.
 *
 * Gauges are read at each scrape. Ends by reason, and durations of turns and archives, are counted from now
 * on. Each metric has the label `registry`, the option `name`; registries of one name share their series. No
 * label has an id, a `ref` or an owner.
 *
 * A scrape never fails because of them: what Redis does not answer within three seconds is left out. A metric
 * whose name the register has already, of other code, is left out with a warning of the process. Further
 * calls for the same register share its metrics, and a registry is counted once.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const stop = collect([chats, carts], { register })
 */
export function collect(
  registries: ObservedRegistry | readonly ObservedRegistry[],
  options?: CollectOptions,
): () => void {
  const { register = globalRegister } = checkOptions('options', options, ['register'])
  assertRegister(register)
  const isMany = Array.isArray(registries)
  const observed = (isMany ? registries : [registries]) as readonly ObservedRegistry[]
  const origins = observed.map(
    (registry, i) =>
      [originOfRegistry(isMany ? `registries[${i}]` : 'registries', registry), registry] as const,
  )
  return Collection.of(register).add(new Map(origins))
}

function assertRegister(register: CollectOptions['register']): void {
  const isRegister = (['registerMetric', 'getSingleMetric', 'removeSingleMetric'] as const).every(
    (method) => typeof register?.[method] === 'function',
  )
  if (!isRegister) throw invalidOption('register', 'a register of prom-client', register)
}
