import { invalidOption } from '../../core/options/validate.ts'
import type { RegistryStats } from '../../core/stats.ts'
import { type Origin, originOf } from '../../core/watching/origin.ts'
import type { RegistryHealth } from '../../core/watching/registry-health.ts'

/** What is read of a registry: `SessionRegistry` and `RedisSessionRegistry` have it. */
export interface ObservedRegistry {
  readonly state: 'open' | 'closing' | 'closed'
  stats(): RegistryStats | Promise<RegistryStats>
  health(): RegistryHealth | Promise<RegistryHealth>
  /** Only on Redis. */
  deadCount?(): Promise<number>
}

/**
 * Returns the origin of the messages of a registry, after a check that it is one, of any copy of the library.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function originOfRegistry(argument: string, registry: ObservedRegistry): Origin {
  const origin = originOf(registry)
  if (origin === undefined || typeof registry.stats !== 'function') {
    throw invalidOption(argument, 'a session registry', registry)
  }
  return origin
}
