import { expect, it } from 'vitest'
import { RecordingStore } from '../../support/recording-store.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { storedSession } from '../../support/store-session.ts'
import { waitUntil } from '../../support/wait-until.ts'

const never = Number.POSITIVE_INFINITY

describeOnRedis('whyGone, with an owner', (redis) => {
  /** A registry with a session of `ada`, which was read from a store. */
  async function ofAda(options: Partial<RegistryOptions<string[]>> = {}) {
    const store = new RecordingStore()
    store.keep(storedSession({ id: 'a', owner: 'ada' }))
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      timeoutMs: 60_000,
      tombstoneMs: 60_000,
      intervalMs: never,
      store,
      ...options,
    })
    expect(await registry.open('a')).toEqual(['hello'])
    return registry
  }

  it('deleted: only its own owner is told', async () => {
    const registry = await ofAda()
    await registry.delete('a')

    expect((await registry.whyGone('a'))?.reason).toBe('deleted')
    expect((await registry.whyGone('a', { owner: 'ada' }))?.reason).toBe('deleted')
    expect(await registry.whyGone('a', { owner: 'bob' })).toBeUndefined()
  })

  it('expired: only its own owner is told, before it is claimed and after', async () => {
    const registry = await ofAda({ timeoutMs: 50 })
    await waitUntil(async () => !(await registry.has('a')))
    for (const claims of [true, false]) {
      expect((await registry.whyGone('a', { owner: 'ada' }))?.reason).toBe('idle')
      expect(await registry.whyGone('a', { owner: 'bob' })).toBeUndefined()
      if (claims) await registry.sweep()
      await registry.settled()
    }
    expect((await registry.whyGone('a'))?.reason).toBe('idle')
  })
})
