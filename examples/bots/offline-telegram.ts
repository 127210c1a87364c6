import type { Bot, Context } from 'grammy'
import type { UserFromGetMe } from 'grammy/types'
import type { Telegraf, Context as TelegrafContext } from 'telegraf'

const me = { id: 1, is_bot: true, first_name: 'Assistant', username: 'assistant_bot' } as UserFromGetMe

/** Lets a bot of grammY print what it would send to Telegram; with `botInfo`, it does not ask who it is. */
export function printInsteadOfSending<C extends Context>(bot: Bot<C>): void {
  bot.botInfo = me
  bot.api.config.use(async (_call, _method, payload) => {
    console.log('text' in payload ? payload.text : payload)
    return { ok: true, result: true as never }
  })
}

/** Lets a bot of telegraf print what it would send to Telegram. */
export function printInsteadOfCalling<C extends TelegrafContext>(bot: Telegraf<C>): void {
  bot.botInfo = me
  bot.use((ctx, next) => {
    ctx.telegram.callApi = async (_method, payload) => {
      console.log('text' in payload ? payload.text : payload)
      return true as never
    }
    return next()
  })
}

let count = 0

/** Returns an update as Telegram sends it for a message of Ada. */
export function messageOfAda(text: string) {
  count += 1
  const from = { id: 7, is_bot: false, first_name: 'Ada' }
  const chat = { id: 7, type: 'private' as const, first_name: 'Ada' }
  return { update_id: count, message: { message_id: count, date: 0, text, chat, from } }
}
