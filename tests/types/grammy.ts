import type { Bot } from 'grammy'
import { type Context, type SessionFlavor, type StorageAdapter, session } from 'grammy'
import type { SessionRegistry } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { type Telegraf, type Context as TelegrafContext, session as telegrafSession } from 'telegraf'

interface Data {
  count: number
}

type ChatContext = Context & SessionFlavor<Data>

interface TelegramContext extends TelegrafContext {
  session?: Data
}

/** Checked by `tsc`, never run: a line marked with `@ts-expect-error` fails if it compiles. */
export function types(
  sessions: SessionRegistry<Data>,
  shared: RedisSessionRegistry<Data>,
  bot: Bot<ChatContext>,
  telegram: Telegraf<TelegramContext>,
) {
  const storage: StorageAdapter<Data> = sessionStorage(sessions)
  bot.use(sessionTurns(sessions), session({ initial: () => ({ count: 0 }), storage }))
  bot.use(sessionTurns(shared), session({ storage: sessionStorage(shared) }))
  const getSessionKey = (ctx: Omit<ChatContext, 'session'>) => ctx.from?.id.toString()
  bot.use(sessionTurns(sessions, { getSessionKey, prefix: 'user-' }))
  bot.use(session({ getSessionKey, prefix: 'user-', storage }))
  bot.use(sessionTurns(sessions, { getSessionKey: async (ctx: ChatContext) => ctx.from?.id.toString() }))

  const userKey = (ctx: TelegramContext) => ctx.from && ctx.chat && `${ctx.from.id}:${ctx.chat.id}`
  telegram.use(sessionTurns(sessions, { getSessionKey: userKey }))
  telegram.use(telegrafSession({ store: sessionStorage(sessions), defaultSession: () => ({ count: 0 }) }))

  // @ts-expect-error: sessions of something else
  const other: StorageAdapter<string> = sessionStorage(sessions)
  // @ts-expect-error: a key is a text
  bot.use(sessionTurns(sessions, { getSessionKey: (ctx: ChatContext) => ctx.from?.id }))
  return other
}
