import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { FaultStore } from '../support/fault-store.ts'
import { observe } from '../support/observed-promise.ts'
import { sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { counters, grammyBot, messageIn } from '../support/telegram-bots.ts'
import { addOne, turningBot } from './grammy-bot.ts'

describe('a handler, by a run that joins its turn', () => {
  it('has the signal of the turn, which aborts after `maxTurnMs`', async () => {
    const { sessions, clock } = counters({ maxTurnMs: 1_000 })
    const seen: AbortSignal[] = []
    const bot = turningBot(sessions, (ctx) =>
      sessions.run(String(ctx.chatId), async (_session, signal) => {
        seen.push(signal)
        await once(signal, 'abort')
        signal.throwIfAborted()
      }),
    )
    const update = observe(bot.handleUpdate(messageIn(5)))
    await settle()
    expect(seen.map(({ aborted }) => aborted)).toEqual([false])
    await clock.advanceAsync(1_000)
    await update.settled

    expect(seen.map(({ aborted }) => aborted)).toEqual([true])
    expect(update.error).toMatchObject({ error: sessionError('ERR_SESSION_TURN_TIMEOUT') })
  })
})

describe('a middleware before sessionTurns', () => {
  it.each([
    ['goes on when the session has been saved', 0, ['saved {"count":1}']],
    ['does not go on when the save fails', 3, []],
  ])('%s', async (_what, failures, expected) => {
    const store = new FaultStore()
    const { sessions, clock } = counters({ store })
    const sent: string[] = []
    const bot = grammyBot()
    bot.use(async (_ctx, next) => {
      await next()
      sent.push(`saved ${JSON.stringify(store.value('5'))}`)
    })
    bot.use(turningBot(sessions, addOne))
    if (failures > 0) store.failNext('put', failures)
    const update = observe(bot.handleUpdate(messageIn(5)))
    await settle()
    await clock.advanceAsync(2_000)
    await update.settled

    expect(sent).toEqual(expected)
  })
})
