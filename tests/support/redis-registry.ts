import { RedisSessionRegistry, type RedisSessionRegistryOptions } from 'session-registry/redis'
import { onTestFinished } from 'vitest'
import type { ClientKind } from './redis-clients.ts'
import { testClient } from './redis-suite.ts'

export type RegistryOptions<T> = Omit<RedisSessionRegistryOptions<T>, 'client'> & {
  readonly kind?: ClientKind
  /** Registries that share it simulate several processes. */
  readonly prefix: string
}

/** Returns a registry with its own client; both are closed when the test has finished. */
export async function testRegistry<T>(
  redis: { readonly url: string },
  { kind = 'redis', ...options }: RegistryOptions<T>,
): Promise<RedisSessionRegistry<T>> {
  const client = await testClient(kind, redis.url)
  const registry = new RedisSessionRegistry<T>({ client, ...options })
  onTestFinished(async () => {
    await registry.close({ deadlineMs: 1 })
  })
  return registry
}
