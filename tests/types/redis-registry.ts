import type { CurrentSession, RegistryStats, Session } from 'session-registry'
import type { RedisHold, RedisSessionRegistry } from 'session-registry/redis'
import { expectTypeOf } from 'vitest'

interface History {
  readonly messages: string[]
}

/** Checked by `tsc`, never run: the results of the members of the Redis registry. */
export async function types(registry: RedisSessionRegistry<History>): Promise<void> {
  const create = (): History => ({ messages: [] })

  expectTypeOf(registry.open('a')).toEqualTypeOf<Promise<History>>()
  expectTypeOf(registry.open('a', { create })).toEqualTypeOf<Promise<History>>()
  expectTypeOf(registry.open('a', { create: false })).toEqualTypeOf<Promise<History | undefined>>()
  expectTypeOf(registry.run('a', () => 1)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(registry.run('a', () => 1, { create, waitMs: 5 })).toEqualTypeOf<Promise<number>>()
  expectTypeOf(registry.run('a', () => 1, { create: false })).toEqualTypeOf<Promise<number | undefined>>()
  expectTypeOf(registry.hold('a', { maxMs: 5 })).toEqualTypeOf<Promise<RedisHold<History> | undefined>>()
  expectTypeOf(registry.acquire('a')).toEqualTypeOf<Promise<RedisHold<History>>>()
  expectTypeOf(registry.acquire('a', { create: false })).toEqualTypeOf<
    Promise<RedisHold<History> | undefined>
  >()
  expectTypeOf<RedisHold<History>['session']>().toEqualTypeOf<Session<History>>()
  expectTypeOf<RedisHold['renew']>().toEqualTypeOf<() => Promise<boolean>>()
  expectTypeOf(registry.set('a', create())).toEqualTypeOf<Promise<typeof registry>>()
  expectTypeOf(registry.replace('a', create())).toEqualTypeOf<Promise<typeof registry>>()
  expectTypeOf(registry.stats()).toEqualTypeOf<Promise<RegistryStats>>()
  expectTypeOf(registry.state).toEqualTypeOf<'open' | 'closing' | 'closed'>()
  expectTypeOf(registry.current()).toEqualTypeOf<CurrentSession | undefined>()
  expectTypeOf(registry.settled()).toEqualTypeOf<Promise<void>>()
  for await (const part of registry.stream('a', async function* (session) {
    expectTypeOf(session).toEqualTypeOf<Session<History>>()
    yield 'part'
  })) {
    expectTypeOf(part).toEqualTypeOf<string>()
  }
  // @ts-expect-error: a factory makes values of the registry's type
  await registry.open('a', { create: () => 'text' })
  // @ts-expect-error: so does that of a turn
  await registry.run('a', () => 1, { create: () => 'text' })
}
