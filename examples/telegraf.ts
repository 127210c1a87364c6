import { SessionRegistry } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { type Context, session, Telegraf } from 'telegraf'
import { askModel } from './bots/model.ts'
import { messageOfAda, printInsteadOfCalling } from './bots/offline-telegram.ts'

interface Chat {
  messages: string[]
}

interface ChatContext extends Context {
  session?: Chat
}

const { BOT_TOKEN = '1:none' } = process.env
const chats = new SessionRegistry<Chat | null>({ timeoutMs: 30 * 60_000 }) // `null`: nothing was said yet
const bot = new Telegraf<ChatContext>(BOT_TOKEN)
printInsteadOfCalling(bot) // remove this line

// The same key for both: telegraf's own names the person and the chat.
const getSessionKey = ({ from, chat }: ChatContext) => from && chat && `${from.id}:${chat.id}`
const store = sessionStorage(chats)
bot.use(sessionTurns(chats, { getSessionKey }))
bot.use(session({ getSessionKey, defaultSession: () => ({ messages: [] }), store }))

bot.on('message', async (ctx) => {
  const messages = [...(ctx.session?.messages ?? []), ctx.text ?? '']
  const answer = await askModel(messages)
  ctx.session = { messages: [...messages, answer] }
  await ctx.reply(answer)
})
// Without it, the first error stops `bot.launch()`.
bot.catch((error, ctx) => console.error(ctx.update.update_id, error))

await Promise.all(['I am Ada.', 'Who am I?'].map((text) => bot.handleUpdate(messageOfAda(text))))
