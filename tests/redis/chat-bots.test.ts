import { session } from 'grammy'
import type { SessionSource } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { type Conversation, conversationStore } from 'session-registry/slack'
import { session as telegrafSession } from 'telegraf'
import { expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { EventRecorder } from '../support/event-recorder.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../support/redis-suite.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { slackApp } from '../support/slack-app.ts'
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

  it('grammY: a late notice of an expiry can ask whether a new session has begun', async () => {
    const expired = deferred()
    const hasReturned = deferred()
    const found: Record<string, boolean> = {}
    const archive = async ({ id }: { id: string }) => {
      if (id === '5') expired.resolve()
      await hasReturned.promise
      found[id] ??= await source.has(id)
    }
    const shared = { prefix: uniquePrefix(), shards: 2, timeoutMs: 1_000, intervalMs: 20 }
    const source = await testRegistry<Counter | null>(redis, { ...shared, archive })
    const bot = grammyBot()
    bot.use(sessionTurns(source), session({ initial, storage: sessionStorage(source) }))
    bot.use((ctx) => {
      ctx.session.count += 1
    })
    await Promise.all([bot.handleUpdate(messageIn(5)), bot.handleUpdate(messageIn(6))])
    await expired.promise
    await bot.handleUpdate(messageIn(5))
    await source.hold('5')
    hasReturned.resolve()

    await expect.poll(() => found, { timeout: 20_000 }).toEqual({ 5: true, 6: false })
    expect(await sessionStorage(source).read('5')).toEqual({ count: 1 })
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

  it('Bolt: stores, finds and expires a conversation in either process', async () => {
    const [first, second] = await pair<Conversation<Counter>>()
    const add = (source: typeof first) =>
      slackApp(conversationStore(source), async ({ conversation, updateConversation }, text) => {
        const expiresAt = text === 'briefly' ? Date.now() - 1 : undefined
        await updateConversation({ count: (conversation?.count ?? 0) + 1 }, expiresAt)
      })
    const apps = [add(first), add(second)]
    for (const app of apps) await app.send('C1')
    expect(await conversationStore(first).get('C1')).toEqual({ count: 2 })

    await apps[0]?.send('C1', 'briefly')
    expect(await failureOf(() => conversationStore(second).get('C1'))).toMatchObject({
      message: 'Conversation expired',
    })
    await apps[1]?.send('C1')
    expect(await conversationStore(first).get('C1')).toEqual({ count: 1 })
    expect(await failureOf(() => conversationStore(first).get('C2'))).toMatchObject({
      message: 'Conversation not found',
    })
    expect(await first.has('C2')).toBe(false)
    expect(apps.flatMap(({ errors }) => errors)).toEqual([])
  })

  it('Bolt: overwrites nothing after Redis was away for the read alone', async () => {
    const proxy = await testProxy(redis.url)
    const shared = { prefix: uniquePrefix(), shards: 2, callTimeoutMs: 200 }
    const source = await testRegistry<Conversation<Counter>>(proxy, shared)
    const store = conversationStore(source)
    await store.set('C1', { count: 7 })
    const { send, errors } = slackApp(store, async ({ conversation, updateConversation }) => {
      proxy.heal()
      await updateConversation({ count: (conversation?.count ?? 0) + 1 })
    })
    proxy.refuse()
    await send('C1')
    expect(errors).toEqual([sessionError('ERR_SESSION_STORE_FAILED')])
    expect((errors[0] as Error).cause).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))

    await expect.poll(() => store.get('C1').catch(() => undefined)).toEqual({ count: 7 })
    await send('C1')
    expect(await store.get('C1')).toEqual({ count: 8 })
  })
})
