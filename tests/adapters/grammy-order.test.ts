import { type Context, session } from 'grammy'
import type { SessionSource } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { session as telegrafSession } from 'telegraf'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { settle } from '../support/settle.ts'
import { type Counter, counters, grammyBot, messageIn, telegrafBot } from '../support/telegram-bots.ts'
import { addOne, initial, turningBot } from './grammy-bot.ts'

/** Returns the warnings of the process about registries, as they come. */
function warnings(): string[] {
  const found: string[] = []
  const listener = ({ name, message }: Error) => {
    if (name === 'SessionRegistryWarning') found.push(message)
  }
  process.on('warning', listener)
  onTestFinished(() => void process.off('warning', listener))
  return found
}

const wrongOrder = expect.stringContaining('use `sessionTurns` before `session()`')

/** Returns a bot that reads and writes outside of the turn. */
function misorderedBot(source: SessionSource<Counter>) {
  const bot = grammyBot()
  bot.use(session({ initial, storage: sessionStorage(source) }), sessionTurns(source), addOne)
  return bot
}

describe('session() before sessionTurns', () => {
  it('warns once, at the first update of a session that was stored', async () => {
    const warned = warnings()
    const { sessions } = counters()
    const bot = misorderedBot(sessions)
    await bot.handleUpdate(messageIn(5))
    await settle()
    expect(warned).toEqual([])
    await bot.handleUpdate(messageIn(5))
    await bot.handleUpdate(messageIn(5))
    await settle()

    expect(warned).toEqual([wrongOrder])
  })

  it('warns for updates at once, of which one is lost', async () => {
    const warned = warnings()
    const { sessions } = counters()
    const bot = misorderedBot(sessions)
    await bot.handleUpdate(messageIn(5))
    await Promise.all([bot.handleUpdate(messageIn(5)), bot.handleUpdate(messageIn(5))])
    await settle()

    expect(sessions.peek('5')?.value).toEqual({ count: 2 })
    expect(warned).toEqual([wrongOrder])
  })

  it('warns with telegraf', async () => {
    const warned = warnings()
    const { sessions } = counters()
    const bot = telegrafBot()
    const getSessionKey = ({ chat }: { chat?: { id: number } | undefined }) => chat?.id.toString()
    bot.use(telegrafSession({ getSessionKey, defaultSession: initial, store: sessionStorage(sessions) }))
    bot.use(sessionTurns(sessions), (ctx) => {
      if (ctx.session !== undefined) ctx.session.count += 1
    })
    await bot.handleUpdate(messageIn(5))
    await bot.handleUpdate(messageIn(5))
    await settle()

    expect(warned).toEqual([wrongOrder])
  })
})

describe('no warning about the order', () => {
  it('for the right one, with updates at once', async () => {
    const warned = warnings()
    const { sessions } = counters()
    const bot = turningBot(sessions, addOne)
    for (const _time of [1, 2]) {
      await Promise.all([bot.handleUpdate(messageIn(5)), bot.handleUpdate(messageIn(5))])
    }
    await settle()

    expect(warned).toEqual([])
  })

  it('for a part of `multi` that has no turn', async () => {
    const warned = warnings()
    const { sessions } = counters()
    const storage = sessionStorage(sessions)
    const user = { initial, storage, prefix: 'user-', getSessionKey: (ctx: Context) => `${ctx.from?.id}` }
    const bot = grammyBot<Record<'user' | 'chat', Counter>>()
    bot.use(sessionTurns(sessions), session({ type: 'multi', user, chat: { initial, storage } }), (ctx) => {
      ctx.session.user.count += 1
      ctx.session.chat.count += 1
    })
    for (const _time of [1, 2, 3]) await bot.handleUpdate(messageIn(5))
    await settle()

    expect(sessions.peek('user-7')?.value).toEqual({ count: 3 })
    expect(warned).toEqual([])
  })

  it.each<[what: string, between: (bot: ReturnType<typeof turningBot>) => unknown]>([
    ['without a turn in between', () => {}],
    ['with a turn of another session', (bot) => bot.handleUpdate(messageIn(6))],
    ['with a turn that failed', (bot) => observe(bot.handleUpdate(messageIn(5, 'fail'))).settled],
  ])('for a read and a write by hand, %s', async (_what, between) => {
    const warned = warnings()
    const { sessions } = counters()
    const storage = sessionStorage(sessions)
    const bot = turningBot(sessions, (ctx) => {
      if (ctx.msg?.text === 'fail') throw new Error('no answer')
    })
    await storage.write(5, { count: 1 })
    const value = (await storage.read(5)) as Counter
    await between(bot)
    await storage.write(5, value)
    await settle()

    expect(warned).toEqual([])
  })

  it('for a value that was read while a turn ran, which may have what the turn wrote', async () => {
    const warned = warnings()
    const { sessions } = counters()
    const storage = sessionStorage(sessions)
    const { promise, resolve } = deferred()
    const bot = turningBot(sessions, async () => {
      await storage.write(5, { count: 7 })
      await promise
    })
    await storage.write(5, { count: 1 })
    await storage.read(5)
    const update = bot.handleUpdate(messageIn(5))
    await settle()
    const value = (await storage.read(5)) as Counter
    resolve()
    await update
    await storage.write(5, value)
    await settle()

    expect(value).toEqual({ count: 7 })
    expect(warned).toEqual([])
  })

  it('for what a late turn writes, which is refused', async () => {
    const warned = warnings()
    const { sessions, clock } = counters({ maxTurnMs: 1_000, turnGraceMs: 0 })
    const { promise, resolve } = deferred()
    const bot = turningBot(sessions, async (ctx) => {
      ctx.session.count += 1
      if (ctx.msg?.text === 'slow') await promise
    })
    await bot.handleUpdate(messageIn(5))
    const slow = observe(bot.handleUpdate(messageIn(5, 'slow')))
    await settle()
    await clock.advanceAsync(1_000)
    await slow.settled
    await bot.handleUpdate(messageIn(5))
    resolve()
    await settle()

    expect(sessions.peek('5')?.value).toEqual({ count: 2 })
    expect(warned).toEqual([])
  })

  it('for a value that is copied to another session', async () => {
    const warned = warnings()
    const { sessions } = counters()
    const storage = sessionStorage(sessions)
    await storage.write(5, { count: 1 })
    const bot = turningBot(sessions, addOne)
    const value = (await storage.read(5)) as Counter
    await bot.handleUpdate(messageIn(5))
    await storage.write(6, value)
    await settle()

    expect(warned).toEqual([])
  })
})

it('a value read before a turn and written by hand after it: warns, since it undoes the turn', async () => {
  const warned = warnings()
  const { sessions } = counters()
  const storage = sessionStorage(sessions)
  await storage.write(5, { count: 1 })
  const bot = turningBot(sessions, addOne)
  const value = (await storage.read(5)) as Counter
  await bot.handleUpdate(messageIn(5))
  await storage.write(5, value)
  await settle()

  expect(sessions.peek('5')?.value).toEqual({ count: 1 })
  expect(warned).toEqual([wrongOrder])
})
