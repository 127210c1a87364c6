import type { SessionRegistry, SessionRegistryOptions } from 'session-registry'
import { type ContenderOptions, type MakeContender, sessionValue } from '../contender.ts'

/** What a user may want of it beyond the timeout. */
export interface Variant {
  readonly options?: SessionRegistryOptions<object>
  readonly prepare?: (registry: SessionRegistry<object>) => unknown
}

/** This library, as it is published: the build, not the source. */
export async function loadSessionRegistry({ options, prepare }: Variant = {}): Promise<MakeContender> {
  // Resolved when it runs: what is bundled with the benchmark would be the source.
  const build = import.meta.resolve('session-registry')
  const { SessionRegistry } = (await import(build)) as typeof import('session-registry')
  return ({ timeoutMs, intervalMs, onExpired }: ContenderOptions) => {
    const create = () => sessionValue
    const registry = new SessionRegistry<object>({ timeoutMs, intervalMs, create, ...options })
    if (onExpired !== undefined) registry.on('expired', ({ id }) => onExpired(id))
    prepare?.(registry)
    return {
      getOrCreate: (id) => registry.getOrCreate(id),
      size: () => registry.size,
      sweep: () => registry.sweep(),
      close: () => void registry.clear(),
    }
  }
}
