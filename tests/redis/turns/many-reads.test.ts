import type { UIMessage } from 'ai'
import { chatStore } from 'session-registry/ai-sdk'
import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { administrator } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnOwnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const generous = { timeout: 60_000 }
const never = Number.POSITIVE_INFINITY

describeOnOwnRedis('many reads of one session', {}, (redis) => {
  const message: UIMessage = { id: '1', role: 'user', parts: [{ type: 'text', text: 'hello' }] }

  /** Returns the milliseconds that the server spent in scripts since the last reset. */
  async function busyMs(admin: Awaited<ReturnType<typeof administrator>>): Promise<number> {
    const info = await admin.info('commandstats')
    const microseconds = [...info.matchAll(/^cmdstat_eval(?:sha)?:.*?usec=(\d+)/gm)]
    return microseconds.reduce((sum, [, usec]) => sum + Number(usec), 0) / 1_000
  }

  it.each(['redis', 'ioredis'] as const)(
    '2 000 concurrent reads: occupy the server for less than a second (%s)',
    generous,
    async (kind) => {
      const prefix = uniquePrefix()
      const admin = await administrator(redis)
      const registry = await testRegistry<UIMessage[]>(redis, {
        kind,
        prefix,
        intervalMs: never,
        create: () => [],
      })
      const { loadChat, saveChat } = chatStore(registry)
      await saveChat({ chatId: 'ada', messages: [message] })
      await loadChat('ada')
      await admin.configResetStat()
      const chats = await Promise.all(Array.from({ length: 2_000 }, () => loadChat('ada')))

      expect(new Set(chats.map((chat) => chat.length))).toEqual(new Set([1]))
      // A hold in Redis for each of them took six seconds; a shared one less than a tenth of a second.
      expect(await busyMs(admin)).toBeLessThan(1_000)
    },
  )

  it('hold in Redis: one per process, until its last one is released', generous, async () => {
    const prefix = uniquePrefix()
    const admin = await administrator(redis)
    const options = { prefix, intervalMs: never, shards: 1, create: () => [] }
    const first = await testRegistry<string[]>(redis, options)
    const second = await testRegistry<string[]>(redis, options)
    await first.open('a')
    const holdsInRedis = async () => {
      const text = (await admin.hGet(`{${prefix}:0}:s:a`, 'h')) ?? ''
      return text === '' ? 0 : text.split(' ').length
    }
    const goOn = deferred()
    const begun = Array.from({ length: 20 }, () => deferred())
    const turns = begun.map(({ resolve }) =>
      first.run(
        'a',
        async () => {
          resolve()
          await goOn.promise
        },
        { whenBusy: 'join' },
      ),
    )
    await Promise.all(begun.map(({ promise }) => promise))
    const held = await first.hold('a')
    const elsewhere = await second.hold('a')
    expect(await holdsInRedis()).toBe(2)

    goOn.resolve()
    await Promise.all(turns)
    expect(await holdsInRedis()).toBe(2)
    await elsewhere?.release()
    expect(await holdsInRedis()).toBe(1)
    await held?.release()
    expect(await holdsInRedis()).toBe(0)
    expect((await first.peek('a'))?.held).toBe(false)
  })

  it('joined turn: saves beside others of the same hold, and does not release it', generous, async () => {
    const registry = await testRegistry<string[]>(redis, {
      prefix: uniquePrefix(),
      intervalMs: never,
      create: () => [],
    })
    await registry.open('a')
    const hold = await registry.hold('a')
    const write = (word: string) =>
      registry.run('a', (session) => void session.value.push(word), { whenBusy: 'join' })
    await write('one')
    await write('two')

    expect((await registry.peek('a'))?.held).toBe(true)
    await hold?.release()
    expect(await registry.peek('a')).toMatchObject({ held: false, value: ['one', 'two'] })
  })
})
