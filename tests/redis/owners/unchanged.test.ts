import type { RedisSessionRegistry } from 'session-registry/redis'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { administrator, contentsOf, keysWith } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const never = Number.POSITIVE_INFINITY
const notOwner = sessionError('ERR_SESSION_NOT_OWNER')

/** Longer than activity goes unwritten, which is a 128th of it. */
const timeoutMs = 6_400
const pauseMs = 120

type Call = (registry: RedisSessionRegistry<string[]>, owner: string) => unknown

async function* nothing(): AsyncGenerator<never> {}

const run = (whenBusy: 'wait' | 'reject' | 'interrupt' | 'join'): Call => {
  return (registry, owner) => registry.run('a', ({ value }) => value.push('said'), { owner, whenBusy })
}

const calls: Record<string, Call> = {
  getOrCreate: (registry, owner) => registry.getOrCreate('a', undefined, { owner }),
  set: (registry, owner) => registry.set('a', ['set'], { owner }),
  replace: (registry, owner) => registry.replace('a', ['replaced'], { owner }),
  open: (registry, owner) => registry.open('a', { owner }),
  acquire: (registry, owner) => registry.acquire('a', { owner }),
  hold: (registry, owner) => registry.hold('a', { owner }),
  stream: (registry, owner) => registry.stream('a', nothing, { owner }).next(),
  'run, waiting': run('wait'),
  'run, rejecting': run('reject'),
  'run, interrupting': run('interrupt'),
  'run, joining': run('join'),
}

const pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs))

describeOnRedis('a call for another owner', (redis) => {
  async function make() {
    const prefix = uniquePrefix()
    const options = { prefix, shards: 1, timeoutMs, maxAgeMs: 600_000, intervalMs: never, create: () => [] }
    const admin = await administrator(redis)
    const ttls = async () =>
      Object.fromEntries((await keysWith(admin, prefix)).map(({ key, ttlMs }) => [key, ttlMs]))
    const process = () => testRegistry<string[]>(redis, options)
    return { process, contents: () => contentsOf(admin, prefix), ttls }
  }

  describe.each(Object.keys(calls))('%s', (name) => {
    const call = calls[name] as Call

    it('writes nothing, and lengthens no TTL; the owner’s call does', { timeout: 20_000 }, async () => {
      const { process, contents, ttls } = await make()
      const [registry, other] = [await process(), await process()]
      await registry.set('a', ['value'], { owner: 'ada' })
      // Neither does a process that has the value in its near-cache.
      await registry.get('a')
      const [before, ttlsBefore] = [await contents(), await ttls()]
      await pause()

      for (const one of [registry, other]) expect(await failureOf(() => call(one, 'bob'))).toEqual(notOwner)
      expect(await contents()).toEqual(before)
      for (const [key, ttlMs] of Object.entries(await ttls()))
        expect(ttlMs).toBeLessThan(ttlsBefore[key] ?? 0)
      await call(registry, 'ada')
      expect(await contents()).not.toEqual(before)
    })

    it('is refused at once beside a turn of any process', { timeout: 20_000 }, async () => {
      const { process, contents } = await make()
      const [registry, other] = [await process(), await process()]
      const [started, finished] = [deferred<AbortSignal>(), deferred()]
      const turn = registry.run(
        'a',
        async (session, signal) => {
          started.resolve(signal)
          await finished.promise
          session.value.push('said')
        },
        { owner: 'ada' },
      )
      const signal = await started.promise
      const before = await contents()
      await pause()

      for (const one of [registry, other]) expect(await failureOf(() => call(one, 'bob'))).toEqual(notOwner)
      expect(await contents()).toEqual(before)
      expect(signal.aborted).toBe(false)
      finished.resolve()
      await turn
      expect(await other.get('a')).toEqual(['said'])
    })
  })
})
