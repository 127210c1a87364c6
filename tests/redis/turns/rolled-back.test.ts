import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { administrator } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnOwnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const generous = { timeout: 60_000 }

describeOnOwnRedis('a server that lost its last moments in a failover', {}, (redis) => {
  /** Two processes, and a function that restores the server to the moment of the call. */
  async function setUp(kind: 'redis' | 'ioredis') {
    const options = { kind, prefix: uniquePrefix(), intervalMs: Number.POSITIVE_INFINITY, create: () => [] }
    const first = await testRegistry<string[]>(redis, options)
    const second = await testRegistry<string[]>(redis, options)
    const admin = await administrator(redis)
    const snapshot = async () => {
      await admin.sendCommand(['SAVE'])
      return () => redis.restart()
    }
    return { first, second, snapshot }
  }
  const say = (word: string) => (session: { value: string[] }) => session.value.push(word)

  it.each(['redis', 'ioredis'] as const)(
    'near-cache: returns what another process saved since, not the lost save (%s)',
    generous,
    async (kind) => {
      const { first, second, snapshot } = await setUp(kind)
      await first.run('a', say('kept'))
      const goBack = await snapshot()
      await first.run('a', say('lost'))
      await goBack()
      await second.run('a', say('newer'))

      expect(await first.get('a')).toEqual(['kept', 'newer'])
      await first.run('a', say('newest'))
      expect(await second.get('a')).toEqual(['kept', 'newer', 'newest'])
    },
  )

  it.each(['redis', 'ioredis'] as const)(
    'joined turn: does not save its read of the lost moments over a later save (%s)',
    generous,
    async (kind) => {
      const { first, second, snapshot } = await setUp(kind)
      await first.run('a', say('kept'))
      const goOn = deferred()
      const begun = deferred()
      // The hold is in the snapshot; what the turn reads is not.
      const hold = await first.hold('a')
      const goBack = await snapshot()
      await first.run('a', say('lost'))
      const joined = first.run(
        'a',
        async (session) => {
          begun.resolve()
          await goOn.promise
          session.value.push('joined')
        },
        { whenBusy: 'join' },
      )
      await begun.promise
      await goBack()
      await second.run('a', say('newer'))
      goOn.resolve()

      expect(await failureOf(() => joined)).toEqual(sessionError('ERR_SESSION_LOCK_LOST'))
      await hold?.release()
      expect(await first.get('a')).toEqual(['kept', 'newer'])
      expect(await second.get('a')).toEqual(['kept', 'newer'])
    },
  )

  it.each(['redis', 'ioredis'] as const)(
    'turn: one whose lock was lost saves nothing (%s)',
    generous,
    async (kind) => {
      const { first, second, snapshot } = await setUp(kind)
      await first.run('a', say('kept'))
      const goBack = await snapshot()
      const goOn = deferred()
      const begun = deferred()
      const turn = first.run('a', async (session) => {
        begun.resolve()
        await goOn.promise
        session.value.push('from a state that is lost')
      })
      await begun.promise
      await goBack()
      await second.run('a', say('newer'))
      goOn.resolve()

      expect(await failureOf(() => turn)).toEqual(sessionError('ERR_SESSION_LOCK_LOST'))
      expect(await first.get('a')).toEqual(['kept', 'newer'])
    },
  )
})
