import { type ContenderOptions, type MakeContender, sessionValue } from '../contender.ts'

/** This library, as it is published: the build, not the source. */
export async function loadSessionRegistry(): Promise<MakeContender> {
  // Resolved when it runs: what is bundled with the benchmark would be the source.
  const build = import.meta.resolve('session-registry')
  const { SessionRegistry } = (await import(build)) as typeof import('session-registry')
  return ({ timeoutMs, intervalMs, onExpired }: ContenderOptions) => {
    const registry = new SessionRegistry<object>({ timeoutMs, intervalMs, create: () => sessionValue })
    if (onExpired !== undefined) registry.on('expired', ({ id }) => onExpired(id))
    return {
      getOrCreate: (id) => registry.getOrCreate(id),
      size: () => registry.size,
      sweep: () => registry.sweep(),
      close: () => void registry.clear(),
    }
  }
}
