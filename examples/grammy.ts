import { Bot, type Context, type SessionFlavor, session } from 'grammy'
import { SessionRegistry } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { askModel } from './bots/model.ts'
import { messageOfAda, printInsteadOfSending } from './bots/offline-telegram.ts'

interface Chat {
  messages: string[]
}

const { BOT_TOKEN = '1:none' } = process.env
const chats = new SessionRegistry<Chat | null>({ timeoutMs: 30 * 60_000 }) // `null`: nothing was said yet
const bot = new Bot<Context & SessionFlavor<Chat>>(BOT_TOKEN)
printInsteadOfSending(bot) // remove this line

// The turn first: `session()` reads and writes inside it.
bot.use(sessionTurns(chats))
bot.use(session({ initial: () => ({ messages: [] }), storage: sessionStorage(chats) }))

bot.on('message:text', async (ctx) => {
  ctx.session.messages.push(ctx.msg.text)
  const answer = await askModel(ctx.session.messages)
  ctx.session.messages.push(answer)
  await ctx.reply(answer)
})
// Without it, the first error stops `bot.start()`.
bot.catch(({ ctx, error }) => console.error(ctx.update.update_id, error))

// Two messages at once: the second waits for the first, and sees what was said.
await Promise.all(['I am Ada.', 'Who am I?'].map((text) => bot.handleUpdate(messageOfAda(text))))
