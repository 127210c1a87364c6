import type { SessionRegistry, SessionRegistryOptions } from 'session-registry'
import { type ContenderOptions, type MakeContender, sessionValue } from '../contender.ts'

/** Options beyond the timeout, and preparation such as a listener. */
export interface Variant {
  readonly options?: SessionRegistryOptions<object>
  readonly prepare?: (registry: SessionRegistry<object>) => unknown
}

/** Loads this library as it is published: the build, not the source. */
export async function loadSessionRegistry({ options, prepare }: Variant = {}): Promise<MakeContender> {
  // Resolved at run time: the bundler would take the source.
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
