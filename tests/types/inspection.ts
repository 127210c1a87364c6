import type {
  InspectedSession,
  InspectedState,
  RegistryHealth,
  SessionRegistry,
  WhenBusy,
} from 'session-registry'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { expectTypeOf } from 'vitest'

/** Checked by `tsc`, never run: `inspect()` and `health()` of both registries. */
export async function types(
  memory: SessionRegistry<string[]>,
  redis: RedisSessionRegistry<string[]>,
): Promise<void> {
  expectTypeOf(memory.inspect()).toEqualTypeOf<InspectedSession[]>()
  expectTypeOf(await redis.inspect()).toEqualTypeOf<InspectedSession[]>()
  expectTypeOf(memory.health()).toEqualTypeOf<RegistryHealth>()
  expectTypeOf(await redis.health()).toEqualTypeOf<RegistryHealth>()

  const [entry] = memory.inspect()
  if (entry === undefined) return
  expectTypeOf(entry.state).toEqualTypeOf<InspectedState>()
  expectTypeOf(entry.running).toEqualTypeOf<
    { readonly sinceMs: number; readonly whenBusy: WhenBusy } | undefined
  >()
  expectTypeOf(entry.holds).toEqualTypeOf<readonly { readonly sinceMs: number }[]>()
  expectTypeOf(entry.owner).toEqualTypeOf<string | undefined>()
  expectTypeOf(entry.attempts).toEqualTypeOf<number | undefined>()
  expectTypeOf(memory.health().live).toEqualTypeOf<true>()
  expectTypeOf(memory.health().why).toEqualTypeOf<'closing' | 'full' | 'store-failing' | undefined>()
}
