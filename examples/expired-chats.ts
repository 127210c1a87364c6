import { Bot, type Context, type SessionFlavor, session } from 'grammy'
import { SessionRegistry } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { ManualClock } from 'session-registry/testing'
import { messageOfAda, printInsteadOfSending } from './bots/offline-telegram.ts'

interface Chat {
  messages: string[]
}

const minute = 60_000
const clock = new ManualClock() // remove it: the registry then uses the real time
const chats = new SessionRegistry<Chat | null>({ timeoutMs: 30 * minute, intervalMs: minute, clock })
const bot = new Bot<Context & SessionFlavor<Chat>>('1:none')
printInsteadOfSending(bot) // remove this line

bot.use(sessionTurns(chats))
bot.use(session({ initial: () => ({ messages: [] }), storage: sessionStorage(chats) }))
bot.on('message:text', async (ctx) => {
  ctx.session.messages.push(ctx.msg.text)
  await ctx.reply('Noted.')
})

chats.on('expired', async ({ id, value }) => {
  if (value === null) return // nothing was stored: there is nothing to tell
  await bot.api.sendMessage(Number(id), 'Your session has expired.')
})
chats.on('error', (error) => console.error('A chat was not told:', error))

await bot.handleUpdate(messageOfAda('a note'))
await clock.advanceAsync(31 * minute)
await bot.handleUpdate(messageOfAda('another note'))
await chats.close() // ends the second session, and tells no chat
