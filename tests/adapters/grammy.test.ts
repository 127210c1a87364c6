import { type Context, enhanceStorage, lazySession, session } from 'grammy'
import { type SessionTurnsOptions, sessionStorage, sessionTurns } from 'session-registry/grammy'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import {
  businessConnection,
  type Counter,
  type CounterContext,
  counters,
  grammyBot,
  inlineQuery,
  messageIn,
} from '../support/telegram-bots.ts'
import { addOne, initial, type KeyOptions, turningBot } from './grammy-bot.ts'

describe('updates of grammY at once', () => {
  it('without turns: lose a change, since both write what they read', async () => {
    const { sessions } = counters()
    const bot = grammyBot()
    bot.use(session({ initial, storage: sessionStorage(sessions) }), addOne)
    await Promise.all([bot.handleUpdate(messageIn(5)), bot.handleUpdate(messageIn(5))])

    expect(sessions.peek('5')?.value).toEqual({ count: 1 })
  })

  it('with turns: lose none', async () => {
    const { sessions, events } = counters()
    const bot = turningBot(sessions, addOne)
    await Promise.all([1, 2, 3].map(() => bot.handleUpdate(messageIn(5))))

    expect(sessions.peek('5')?.value).toEqual({ count: 3 })
    expect(events.lines).toEqual(['created 5'])
  })

  it('with turns: are handled in the order in which they came', async () => {
    const { sessions } = counters()
    const texts: unknown[] = []
    const bot = turningBot(sessions, async (ctx) => {
      await settle()
      texts.push(ctx.msg?.text)
    })
    await Promise.all(['a', 'b', 'c'].map((text) => bot.handleUpdate(messageIn(5, text))))

    expect(texts).toEqual(['a', 'b', 'c'])
  })

  it('with turns: those of another chat do not wait', async () => {
    const { sessions } = counters()
    const { promise, resolve } = deferred()
    const bot = turningBot(sessions, (ctx) => (ctx.chatId === 5 ? promise : addOne(ctx)))
    const slow = observe(bot.handleUpdate(messageIn(5)))
    await bot.handleUpdate(messageIn(6))

    expect(sessions.peek('6')?.value).toEqual({ count: 1 })
    expect(slow.state).toBe('pending')
    resolve()
    await slow.settled
    expect(slow.state).toBe('fulfilled')
  })
})

describe('the key of a turn', () => {
  it.each<[what: string, key: string, options: KeyOptions]>([
    ['by default', '-1005', {}],
    ['of a prefix', 'bot--1005', { prefix: 'bot-' }],
    ['of a function', 'user 7', { getSessionKey: (ctx) => `user ${ctx.from?.id}` }],
    ['of both', 'bot-7', { prefix: 'bot-', getSessionKey: async (ctx) => String(ctx.from?.id) }],
    ['of an empty text and a prefix', 'all', { prefix: 'all', getSessionKey: () => '' }],
    ['of a number, which grammY makes a text', '7', { getSessionKey: (ctx) => ctx.from?.id as never }],
  ])('is that of grammY’s session: %s', async (_what, key, options) => {
    const { sessions } = counters()
    const bot = turningBot(sessions, addOne, options)
    await Promise.all([bot.handleUpdate(messageIn(-1005)), bot.handleUpdate(messageIn(-1005))])

    expect([...sessions]).toEqual([[key, { count: 2 }]])
  })

  it('is that of grammY’s session where the update names a chat only indirectly', async () => {
    const { sessions } = counters()
    const bot = turningBot(sessions, addOne)
    await Promise.all([bot.handleUpdate(businessConnection(5)), bot.handleUpdate(messageIn(5))])

    expect([...sessions]).toEqual([['5', { count: 2 }]])
  })

  it.each<[what: string, options: SessionTurnsOptions<CounterContext>]>([
    ['no chat', {}],
    ['no key', { prefix: 'bot-', getSessionKey: () => undefined }],
    ['null', { prefix: 'bot-', getSessionKey: () => null as never }],
    ['an empty key', { getSessionKey: () => '' }],
  ])('is absent: the update is handled without a turn: %s', async (_what, options) => {
    const { sessions } = counters()
    const bot = grammyBot()
    let handled = 0
    bot.use(sessionTurns(sessions, options)).use(() => {
      handled += 1
      expect(sessions.stats().running).toBe(0)
    })
    await bot.handleUpdate(inlineQuery())

    expect(handled).toBe(1)
    expect(sessions.stats()).toMatchObject({ created: 0, turns: 0 })
  })

  it('that is not one rejects the update, before anything was handled', async () => {
    const { sessions } = counters()
    const getSessionKey = () => ({ secret: 1 }) as never
    let handled = 0
    const turn = sessionTurns(sessions, { getSessionKey })
    const error = await failureOf(() =>
      turn({}, async () => {
        handled += 1
      }),
    )

    expect(error).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    expect((error as Error).message).toMatch(/ in the result of `getSessionKey` to be .*, got object$/)
    expect(handled).toBe(0)
  })

  it('whose function fails rejects the update with that very error', async () => {
    const { sessions } = counters()
    const failure = new Error('no key')
    const getSessionKey = () => Promise.reject(failure)

    expect(await failureOf(() => sessionTurns(sessions, { getSessionKey })({}, async () => {}))).toBe(failure)
  })
})

describe('the first value of a session', () => {
  it('is that of `create`, where the registry has one', async () => {
    const { sessions } = counters({ create: () => ({ count: 10 }) })
    await turningBot(sessions, addOne).handleUpdate(messageIn(5))

    expect(sessions.peek('5')?.value).toEqual({ count: 11 })
  })

  it('is that of `initial`, where the registry has none', async () => {
    const { sessions, events } = counters()
    await turningBot(sessions, addOne).handleUpdate(messageIn(5))

    expect(sessions.peek('5')?.value).toEqual({ count: 1 })
    expect(events.lines).toEqual(['created 5'])
  })

  it('is nothing without either, and an update that sets none is handled', async () => {
    const { sessions } = counters()
    const bot = grammyBot()
    const seen: unknown[] = []
    bot.use(sessionTurns(sessions), session({ storage: sessionStorage(sessions) }))
    bot.use((ctx) => seen.push(ctx.session))
    await bot.handleUpdate(messageIn(5))

    expect(seen).toEqual([undefined])
    expect(sessions.has('5')).toBe(true)
  })

  it('without `create`: a new chat is loaded once, from the first chat on that showed it', async () => {
    const loads: string[] = []
    const { sessions } = counters({ load: (id) => void loads.push(id) })
    const bot = turningBot(sessions, addOne)
    for (const chat of [5, 6, 7, 6]) await bot.handleUpdate(messageIn(chat))

    expect(loads).toEqual(['5', '5', '6', '7'])
    expect(Object.fromEntries(sessions)).toEqual({
      '5': { count: 1 },
      '6': { count: 2 },
      '7': { count: 1 },
    })
  })

  it('is that of `create`, though a load has failed for want of a factory elsewhere', async () => {
    const { sessions: others } = counters()
    let isDown = true
    const load = async () => (isDown ? others.open('a') : undefined)
    const { sessions } = counters({ load, create: () => ({ count: 10 }) })
    const bot = turningBot(sessions, addOne)
    const { error } = (await failureOf(() => bot.handleUpdate(messageIn(5)))) as { error: unknown }
    isDown = false
    await bot.handleUpdate(messageIn(5))

    expect(error).toEqual(sessionError('ERR_SESSION_NO_FACTORY'))
    expect(sessions.peek('5')?.value).toEqual({ count: 11 })
  })

  it('a handler that fails for want of a factory elsewhere is not called twice', async () => {
    const { sessions } = counters({ create: initial })
    const { sessions: others } = counters()
    let calls = 0
    const bot = turningBot(sessions, () => {
      calls += 1
      return others.run('a', () => {})
    })
    const { error } = (await failureOf(() => bot.handleUpdate(messageIn(5)))) as { error: unknown }

    expect(error).toEqual(sessionError('ERR_SESSION_NO_FACTORY'))
    expect(calls).toBe(1)
  })
})

describe('a handler that throws', () => {
  it('rejects the update, writes nothing, and lets the next one in', async () => {
    const { sessions } = counters()
    const failure = new Error('no answer')
    const bot = turningBot(sessions, async (ctx) => {
      await addOne(ctx)
      if (ctx.msg?.text === 'fail') throw failure
    })
    const failed = observe(bot.handleUpdate(messageIn(5, 'fail')))
    await bot.handleUpdate(messageIn(5))

    expect(failed.error).toMatchObject({ error: failure })
    expect(sessions.peek('5')?.value).toEqual({ count: 1 })
  })

  it('late, after `maxTurnMs`: what it writes is refused', async () => {
    const { sessions, clock } = counters({ maxTurnMs: 1_000, turnGraceMs: 0 })
    const { promise, resolve } = deferred()
    const late = deferred<unknown>()
    const bot = turningBot(sessions, async (ctx) => {
      if (ctx.msg?.text !== 'slow') return addOne(ctx)
      await promise
      late.resolve(await failureOf(() => sessionStorage(sessions).write(5, { count: 99 })))
    })
    const slow = observe(bot.handleUpdate(messageIn(5, 'slow')))
    await settle()
    await clock.advanceAsync(1_000)
    await bot.handleUpdate(messageIn(5))
    resolve()

    expect(await late.promise).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    expect(slow.error).toMatchObject({ error: sessionError('ERR_SESSION_TURN_TIMEOUT') })
    expect(sessions.peek('5')?.value).toEqual({ count: 1 })
  })
})

describe('other sessions of grammY', () => {
  it('multi: each part is one session, in a turn each', async () => {
    const { sessions, events } = counters()
    const storage = sessionStorage(sessions)
    const user = { prefix: 'user-', getSessionKey: (ctx: Context) => ctx.from?.id.toString() }
    const chat = { prefix: 'chat-' }
    const bot = grammyBot<Record<'user' | 'chat', Counter>>()
    bot.use(sessionTurns(sessions, user), sessionTurns(sessions, chat))
    bot.use(
      session({ type: 'multi', user: { initial, storage, ...user }, chat: { initial, storage, ...chat } }),
    )
    bot.use(async (ctx) => {
      const { user, chat } = ctx.session
      const [users, chats] = [user.count, chat.count]
      await settle()
      Object.assign(user, { count: users + 1 })
      Object.assign(chat, { count: chats + 1 })
    })
    await Promise.all([messageIn(5), messageIn(5), messageIn(6)].map((update) => bot.handleUpdate(update)))

    expect(Object.fromEntries(sessions)).toEqual({
      'user-7': { count: 3 },
      'chat-5': { count: 2 },
      'chat-6': { count: 1 },
    })
    expect(events.lines).toHaveLength(3)
  })

  it('lazy: is read in the turn, and only when it is used', async () => {
    const { sessions } = counters({ create: initial })
    const bot = grammyBot()
    bot.use(sessionTurns(sessions), lazySession({ initial, storage: sessionStorage(sessions) }))
    bot.use(async (ctx) => {
      const data = await ctx.session
      await settle()
      ctx.session = { count: data.count + 1 }
    })
    await Promise.all([bot.handleUpdate(messageIn(5)), bot.handleUpdate(messageIn(5))])

    expect(sessions.peek('5')?.value).toEqual({ count: 2 })
  })

  it('enhanced: keeps its version beside the data', async () => {
    const { sessions } = counters()
    const storage = enhanceStorage<Counter>({
      storage: sessionStorage(sessions) as never,
      migrations: { 1: (old: Counter) => ({ count: old.count + 100 }) },
    })
    await sessionStorage(sessions).write(5, { count: 1 })
    const bot = grammyBot()
    bot.use(sessionTurns(sessions), session({ initial, storage }), addOne)
    await bot.handleUpdate(messageIn(5))

    expect(sessions.peek('5')?.value).toMatchObject({ __d: { count: 102 } })
  })
})
