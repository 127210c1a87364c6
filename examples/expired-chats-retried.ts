import { Bot, type Context, GrammyError, type SessionFlavor, session } from 'grammy'
import { SessionRegistry } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { ManualClock } from 'session-registry/testing'
import { messageOfAda, printInsteadOfSending } from './bots/offline-telegram.ts'

interface Chat {
  messages: string[]
}

const minute = 60_000
const clock = new ManualClock()
const bot = new Bot<Context & SessionFlavor<Chat>>('1:none')
printInsteadOfSending(bot)

// #region archive
const chats = new SessionRegistry<Chat | null>({
  timeoutMs: 30 * minute,
  intervalMs: minute,
  clock,
  archive: async ({ id, value }, reason) => {
    if (value === null || (reason !== 'idle' && reason !== 'age')) return // not at `close`, nor at the cap
    try {
      await bot.api.sendMessage(Number(id), 'Your session has expired.')
    } catch (error) {
      // The bot was blocked (403), the chat is gone (400): no repetition helps.
      if (error instanceof GrammyError && [400, 403].includes(error.error_code)) return
      throw error
    }
  },
})
// #endregion archive

bot.use(sessionTurns(chats))
bot.use(session({ initial: () => ({ messages: [] }), storage: sessionStorage(chats) }))
bot.on('message:text', async (ctx) => {
  ctx.session.messages.push(ctx.msg.text)
  await ctx.reply('Noted.')
})

await bot.handleUpdate(messageOfAda('a note'))

// Telegram refuses the first two messages: a limit, then a chat that has blocked the bot.
const refusals = [
  { ok: false, error_code: 429, description: 'Too Many Requests' },
  { ok: false, error_code: 403, description: 'Forbidden: bot was blocked by the user' },
] as const
let calls = 0
bot.api.config.use(async (call, method, payload, signal) => {
  const refusal = [refusals[0], undefined, undefined, refusals[1]][calls++]
  if (refusal === undefined) return call(method, payload, signal)
  console.log(refusal.description)
  return refusal
})

await clock.advanceAsync(31 * minute)
await bot.handleUpdate(messageOfAda('another note'))
await clock.advanceAsync(31 * minute)
console.log(`${chats.size} sessions`)
await bot.handleUpdate(messageOfAda('a third note'))
console.log(await chats.close()) // tells no chat
