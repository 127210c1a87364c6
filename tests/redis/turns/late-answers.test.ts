import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const soon = { timeout: 10_000, interval: 10 }
const never = Number.POSITIVE_INFINITY

describeOnRedis('a late reply', (redis) => {
  it('of `load` is not used once another process has continued the conversation', async () => {
    const store = new FakeArchive()
    const prefix = uniquePrefix()
    const options = { prefix, timeoutMs: 200, maxTurnMs: 20_000, create: () => [], archive: store.archive }
    const [asked, answered] = [deferred(), deferred()]
    let loads = 0
    const slow = await testRegistry<string[]>(redis, {
      ...options,
      intervalMs: never,
      load: async (id) => {
        const value = await store.load(id)
        loads += 1
        if (loads === 1) {
          asked.resolve()
          await answered.promise
        }
        return value
      },
    })
    const quick = await testRegistry<string[]>(redis, { ...options, intervalMs: never, load: store.load })
    const opened = observe(slow.open('a'))
    await asked.promise
    await quick.run('a', (session) => session.value.push('said meanwhile'))
    await expect.poll(() => quick.has('a'), soon).toBe(false)
    answered.resolve()
    // It waits for the archive of the state that it had not loaded, in any process.
    await expect.poll(() => quick.sweep(), soon).toBe(1)
    await opened.settled

    expect(opened.value).toEqual(['said meanwhile'])
    expect(loads).toBe(2)
  })

  it('of a turn does not overtake its nested run that was not awaited', async () => {
    const registry = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    const goOn = deferred()
    let nested: Promise<unknown> | undefined
    const outer = registry.run('a', async (session) => {
      session.value.push('outer')
      nested = registry.run('a', async (inner) => {
        await goOn.promise
        inner.value.push('nested')
      })
    })
    goOn.resolve()
    await Promise.all([outer, nested])

    expect(await registry.get('a')).toEqual(['outer', 'nested'])
  })
})
