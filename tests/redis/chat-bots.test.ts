import { session } from 'grammy'
import type { SessionSource } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { session as telegrafSession } from 'telegraf'
import { expect, it } from 'vitest'
import { EventRecorder } from '../support/event-recorder.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../support/redis-suite.ts'
import { failureOf } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { type Counter, grammyBot, messageIn, telegrafBot } from '../support/telegram-bots.ts'

const initial = (): Counter => ({ count: 0 })

describeOnRedis('a chat bot on two processes that share one Redis', (redis) => {
  async function pair<T>(): Promise<[RedisSessionRegistry<T>, RedisSessionRegistry<T>]> {
    const shared = { prefix: uniquePrefix(), shards: 2 }
    return [await testRegistry(redis, shared), await testRegistry(redis, shared)]
  }

  it('grammY: loses no change, forgets in a turn, and writes nothing where a handler throws', async () => {
    const sources = await pair<Counter>()
    const events = sources.map((source) => new EventRecorder(source))
    const failure = new Error('no answer')
    const bots = sources.map((source) => {
      const bot = grammyBot()
      bot.use(sessionTurns(source), session({ initial, storage: sessionStorage(source) }))
      bot.use(async (ctx) => {
        const { count } = ctx.session
        await settle()
        ctx.session.count = count + 1
        if (ctx.msg?.text === 'fail') throw failure
        if (ctx.msg?.text === 'forget') ctx.session = null as never
      })
      return bot
    })
    const send = (text: string, process = 0) => bots[process]?.handleUpdate(messageIn(5, text))
    await Promise.all([send('a'), send('b', 1), send('c'), send('d', 1)])
    expect(await sessionStorage(sources[1]).read('5')).toEqual({ count: 4 })

    expect(await failureOf(() => send('fail', 1))).toMatchObject({ error: failure })
    expect(await sessionStorage(sources[0]).read('5')).toEqual({ count: 4 })

    await send('forget')
    expect(await sessionStorage(sources[1]).read('5')).toBeUndefined()
    expect(await sources[1].has('5')).toBe(true)
    await send('a', 1)
    expect(await sessionStorage(sources[0]).read('5')).toEqual({ count: 1 })
    expect(events.flatMap(({ lines }) => lines)).toEqual(['created 5'])

    await sessionStorage(sources[0]).delete('5')
    expect(await sources[1].has('5')).toBe(false)
  })

  it('telegraf: a read after a failed one is a part of the turn of its own update', async () => {
    const [first, second] = await pair<Counter>()
    let failures = 1
    // The turn opens the session; the first read inside it fails.
    const run = (...args: Parameters<typeof first.run>) => {
      if (args[2]?.whenBusy !== 'join' || failures === 0) return first.run(...args)
      failures -= 1
      return Promise.reject(new Error('the database is away'))
    }
    const source: SessionSource<Counter> = Object.create(first, { run: { value: run } })
    const storage = sessionStorage(source)
    const key = '7:5'
    const bot = telegrafBot()
    bot.use(sessionTurns(source, { getSessionKey: () => key }))
    bot.use(async (_ctx, next) => {
      await storage.set(key, { count: 50 })
      return next()
    })
    bot.use(telegrafSession({ store: storage, defaultSession: initial }))
    const seen: unknown[] = []
    bot.use(async (ctx) => {
      seen.push(ctx.session?.count, (await sessionStorage(second).read(key))?.count)
    })
    await sessionStorage(second).write(key, { count: 1 })
    expect(await failureOf(() => bot.handleUpdate(messageIn(5)))).toMatchObject({
      message: 'the database is away',
    })
    await bot.handleUpdate(messageIn(5))

    // What the turn has, while the store still has what was there before.
    expect(seen).toEqual([50, 1])
    expect(await sessionStorage(second).read(key)).toEqual({ count: 50 })
  })
})
