import { Bot, type Context, type SessionFlavor } from 'grammy'
import type { UserFromGetMe } from 'grammy/types'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { Telegraf, type Context as TelegrafContext } from 'telegraf'
import { EventRecorder } from './event-recorder.ts'

/** The session data of the bots in tests. */
export interface Counter {
  count: number
}

export type CounterContext = Context & SessionFlavor<Counter>

export interface CountingTelegraf extends TelegrafContext {
  session?: Counter
}

export const timeoutMs = 60_000

const botInfo: UserFromGetMe = {
  id: 1,
  is_bot: true,
  first_name: 'bot',
  username: 'test_bot',
  can_join_groups: true,
  can_read_all_group_messages: false,
  can_manage_bots: false,
  supports_guest_queries: false,
  supports_inline_queries: false,
  can_connect_to_business: false,
  has_main_web_app: false,
  has_topics_enabled: false,
  allows_users_to_create_topics: false,
  supports_join_request_queries: false,
}

/** Returns a bot of grammY that needs no network for updates. */
export function grammyBot<S = Counter>(): Bot<Context & SessionFlavor<S>> {
  return new Bot<Context & SessionFlavor<S>>('1:a', { botInfo })
}

/** Returns a bot of telegraf that needs no network for updates, and whose errors reach the caller. */
export function telegrafBot(): Telegraf<CountingTelegraf> {
  const bot = new Telegraf<CountingTelegraf>('1:a')
  bot.botInfo = botInfo
  bot.catch((error) => {
    throw error
  })
  return bot
}

let updates = 0

/** Returns an update with a message of user 7 in a private chat, for either framework. */
export function messageIn(chatId: number, text = 'hello') {
  updates += 1
  const from = { id: 7, is_bot: false, first_name: 'Ada' }
  const chat = { id: chatId, type: 'private' as const, first_name: 'Ada' }
  return { update_id: updates, message: { message_id: updates, date: 0, text, chat, from } }
}

/** Returns an update that belongs to no chat. */
export function inlineQuery() {
  updates += 1
  const from = { id: 7, is_bot: false, first_name: 'Ada' }
  return { update_id: updates, inline_query: { id: '1', from, query: 'q', offset: '' } }
}

/** Returns an update that has no chat, and names one. */
export function businessConnection(chatId: number) {
  updates += 1
  const user = { id: chatId, is_bot: false, first_name: 'Ada' }
  return {
    update_id: updates,
    business_connection: { id: 'b', user, user_chat_id: chatId, date: 0, is_enabled: true },
  }
}

/** Returns a registry of counters on a clock that the test moves. */
export function counters(options: SessionRegistryOptions<Counter> = {}) {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<Counter>({ clock, timeoutMs, ...options })
  return { clock, sessions, events: new EventRecorder(sessions) }
}
