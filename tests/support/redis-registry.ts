import { RedisSessionRegistry, type RedisSessionRegistryOptions } from 'session-registry/redis'
import { onTestFinished } from 'vitest'
import type { ClientKind } from './redis-clients.ts'
import { testClient } from './redis-suite.ts'

export type RegistryOptions<T> = Omit<RedisSessionRegistryOptions<T>, 'client'> & {
  readonly kind?: ClientKind
  /** Several registries that share it stand for several processes. */
  readonly prefix: string
}

/** A registry on a client of its own; it is closed, and so is the client, when the test has finished. */
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
