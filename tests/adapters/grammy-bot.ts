import { type SessionOptions, session } from 'grammy'
import type { SessionSource } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { settle } from '../support/settle.ts'
import { type Counter, type CounterContext, grammyBot } from '../support/telegram-bots.ts'

export const initial = (): Counter => ({ count: 0 })

/** Adds one across an `await`, as a handler that asks a database in between. */
export async function addOne(ctx: CounterContext): Promise<void> {
  const { count } = ctx.session
  await settle()
  ctx.session.count = count + 1
}

/** What `session()` and `sessionTurns` have in common. */
export type KeyOptions = Pick<SessionOptions<Counter, CounterContext>, 'getSessionKey' | 'prefix'>

export type Handler = (ctx: CounterContext) => unknown

/** Returns a bot whose updates are turns. */
export function turningBot(source: SessionSource<Counter>, handler: Handler, options: KeyOptions = {}) {
  const bot = grammyBot()
  bot.use(sessionTurns(source, options))
  bot.use(session({ initial, storage: sessionStorage(source), ...options }))
  bot.use(handler)
  return bot
}
