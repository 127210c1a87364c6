import type { Bot } from 'grammy'
import { type Context, lazySession, type SessionFlavor, type StorageAdapter, session } from 'grammy'
import type { SessionRegistry, SessionSource } from 'session-registry'
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
  emptied: SessionRegistry<Data | null>,
  either: RedisSessionRegistry<Data | null | undefined>,
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

  // Of a registry without `create` the value may be `null`; the data of the frameworks are not.
  const data: StorageAdapter<Data> = sessionStorage(emptied)
  bot.use(sessionTurns(emptied), session({ initial: () => ({ count: 0 }), storage: sessionStorage(emptied) }))
  bot.use(lazySession({ storage: sessionStorage<Data>(emptied) }))
  bot.use(session({ storage: sessionStorage(either) }))
  telegram.use(sessionTurns(emptied, { getSessionKey: userKey }))
  telegram.use(telegrafSession({ store: sessionStorage(either), defaultSession: () => ({ count: 0 }) }))
  // @ts-expect-error: a listener has to expect `null`
  emptied.on('expired', ({ value }) => value.count)

  // @ts-expect-error: sessions of something else
  const other: StorageAdapter<string> = sessionStorage(sessions)
  // @ts-expect-error: sessions of something else
  const others: StorageAdapter<string> = sessionStorage(emptied)
  // @ts-expect-error: a key is a text
  bot.use(sessionTurns(sessions, { getSessionKey: (ctx: ChatContext) => ctx.from?.id }))
  return [data, other, others]
}

/** The storage of a registry whose type is a parameter. */
export function genericStorage<S>(source: SessionSource<S>): StorageAdapter<S> {
  return sessionStorage(source)
}
