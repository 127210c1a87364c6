import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { FakeArchive } from '../../support/fake-archive.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

describeOnRedis('a turn that outlasts the maximum age and the retention of its session', (redis) => {
  it('has its save in the archive', async () => {
    const store = new FakeArchive()
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      maxAgeMs: 50,
      retentionMs: 200,
      maxTurnMs: 20_000,
      create: () => [],
      archive: store.archive,
    })
    await registry.run('a', async (session) => {
      await wait(600)
      session.value.push('saved')
    })

    await expect.poll(() => [...store.stored], { timeout: 10_000 }).toEqual([['a', ['saved']]])
  })
})
