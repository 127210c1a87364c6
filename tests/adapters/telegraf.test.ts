import type { SessionSource } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { session } from 'telegraf'
import { describe, expect, it } from 'vitest'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import {
  type Counter,
  type CountingTelegraf,
  counters,
  inlineQuery,
  messageIn,
  telegrafBot,
} from '../support/telegram-bots.ts'

const defaultSession = (): Counter => ({ count: 0 })

const getSessionKey = ({ from, chat }: CountingTelegraf) => from && chat && `${from.id}:${chat.id}`

/** Adds one across an `await`. */
async function addOne(ctx: CountingTelegraf): Promise<void> {
  const count = ctx.session?.count ?? 0
  await settle()
  ctx.session = { count: count + 1 }
}

function countingBot(source: SessionSource<Counter>, handler: (ctx: CountingTelegraf) => unknown = addOne) {
  const bot = telegrafBot()
  bot.use(sessionTurns(source, { getSessionKey }))
  bot.use(session({ defaultSession, store: sessionStorage(source) }))
  bot.use(async (ctx) => handler(ctx))
  return bot
}

describe('updates of telegraf at once', () => {
  it('without turns: lose a change', async () => {
    const { sessions } = counters()
    const bot = telegrafBot()
    bot.use(session({ defaultSession, store: sessionStorage(sessions) }), addOne)
    await Promise.all([bot.handleUpdate(messageIn(5)), bot.handleUpdate(messageIn(5))])

    expect([...sessions]).toEqual([['7:5', { count: 1 }]])
  })

  it('with turns: lose none', async () => {
    const { sessions, events } = counters()
    const bot = countingBot(sessions)
    await Promise.all([1, 2, 3].map(() => bot.handleUpdate(messageIn(5))))

    expect([...sessions]).toEqual([['7:5', { count: 3 }]])
    expect(events.lines).toEqual(['created 7:5'])
  })

  it('with turns of the chat, which telegraf’s default key is not: lose none either', async () => {
    const { sessions } = counters()
    const bot = telegrafBot()
    const chatKey = (ctx: CountingTelegraf) => ctx.chat?.id.toString()
    bot.use(sessionTurns(sessions))
    bot.use(session({ defaultSession, getSessionKey: chatKey, store: sessionStorage(sessions) }), addOne)
    await Promise.all([bot.handleUpdate(messageIn(5)), bot.handleUpdate(messageIn(5))])

    expect([...sessions]).toEqual([['5', { count: 2 }]])
  })

  it('without a key: are handled without a turn', async () => {
    const { sessions } = counters()
    let handled = 0
    await countingBot(sessions, () => {
      handled += 1
    }).handleUpdate(inlineQuery())

    expect(handled).toBe(1)
    expect(sessions.size).toBe(0)
  })
})

describe('a read of telegraf that fails', () => {
  const failure = new Error('the database is away')

  function failingOnce(times = 1) {
    let failures = times
    const load = async () => {
      if (failures === 0) return { count: 7 }
      failures -= 1
      throw failure
    }
    return counters({ load })
  }

  it('rejects every later update of the key, if the promise of a store is an ordinary one', async () => {
    const { sessions } = failingOnce()
    const { read, set, delete: remove } = sessionStorage(sessions)
    const bot = telegrafBot()
    bot.use(session({ defaultSession, store: { get: read, set, delete: remove } }), addOne)
    for (const _time of [1, 2, 3]) expect(await failureOf(() => bot.handleUpdate(messageIn(5)))).toBe(failure)
  })

  it('rejects the updates that waited for it, and the next one reads anew', async () => {
    const { sessions } = failingOnce(2)
    const bot = telegrafBot()
    bot.use(session({ defaultSession, store: sessionStorage(sessions) }), addOne)
    for (const _time of [1, 2]) expect(await failureOf(() => bot.handleUpdate(messageIn(5)))).toBe(failure)
    await bot.handleUpdate(messageIn(5))
    await bot.handleUpdate(messageIn(5))

    expect([...sessions]).toEqual([['7:5', { count: 9 }]])
  })

  it('reads anew in the turn of the update that awaits it', async () => {
    // The turn itself finds the session; the first read inside it fails.
    const { sessions } = counters({ create: () => ({ count: 7 }) })
    let failures = 1
    const source: SessionSource<Counter> = Object.create(sessions, {
      run: {
        value: (...args: Parameters<typeof sessions.run>) => {
          const isRead = args[2]?.whenBusy === 'join'
          if (isRead && failures > 0) {
            failures -= 1
            return Promise.reject(failure)
          }
          return sessions.run(...args)
        },
      },
    })
    const seen: unknown[] = []
    const bot = countingBot(source, async (ctx) => {
      await sessionStorage(source).set('7:5', { count: 50 })
      seen.push(await sessionStorage(source).get('7:5'), ctx.session?.count)
    })
    expect(await failureOf(() => bot.handleUpdate(messageIn(5)))).toBe(failure)
    await Promise.all([bot.handleUpdate(messageIn(5)), bot.handleUpdate(messageIn(5))])

    expect(seen).toEqual([{ count: 50 }, 7, { count: 50 }, 7])
  })
})

describe('the promise of `get`', () => {
  function failingRead() {
    const loads: string[] = []
    let isDown = true
    const load = async (id: string) => {
      loads.push(id)
      if (isDown) throw new Error('the database is away')
      return { count: 1 }
    }
    const recover = () => {
      isDown = false
    }
    return { ...counters({ load }), loads, recover }
  }

  it('reads once as long as that read is under way or has succeeded', async () => {
    const { sessions, loads, recover } = failingRead()
    recover()
    const read = sessionStorage(sessions).get('5')
    const both = await Promise.all([read, read])
    await sessions.delete('5')

    expect(await read).toEqual({ count: 1 })
    expect(both).toEqual([{ count: 1 }, { count: 1 }])
    expect(loads).toEqual(['5'])
  })

  it('reads at the call, whenever it is awaited', async () => {
    const { sessions } = counters()
    const storage = sessionStorage(sessions)
    await storage.set('5', { count: 1 })
    const read = storage.get('5')
    await storage.set('5', { count: 2 })

    expect(await read).toEqual({ count: 1 })
  })

  it('reads anew at each use after a failure, `catch` and `finally` too', async () => {
    const { sessions, loads, recover } = failingRead()
    const read = sessionStorage(sessions).get('5')
    let finals = 0
    const final = () => {
      finals += 1
    }
    expect(await read.catch((error: Error) => error.message)).toBe('the database is away')
    await expect(read.finally(final)).rejects.toThrow('the database is away')
    recover()
    expect(await read.finally(final)).toEqual({ count: 1 })
    expect(await read.catch(() => {})).toEqual({ count: 1 })

    expect(finals).toBe(2)
    expect(loads).toHaveLength(3)
    expect(Object.prototype.toString.call(read)).toBe('[object Promise]')
  })
})

describe('a handler of telegraf that throws', () => {
  it('rejects the turn; telegraf has written all the same, unless the turn is rolled back', async () => {
    const failure = new Error('no answer')
    for (const [rollback, left] of [
      [false, { count: 1 }],
      [true, null],
    ] as const) {
      const { sessions } = counters({ rollback })
      const bot = countingBot(sessions, async (ctx) => {
        await addOne(ctx)
        throw failure
      })
      expect(await failureOf(() => bot.handleUpdate(messageIn(5)))).toBe(failure)
      expect(sessions.peek('7:5')?.value).toEqual(left)
    }
  })
})

describe('the deletion of a telegraf session', () => {
  it('in a turn: empties the value; the next update has the default', async () => {
    const { sessions, events } = counters()
    const bot = countingBot(sessions, async (ctx) => {
      await addOne(ctx)
      if (ctx.text === 'forget') ctx.session = undefined as never
    })
    await bot.handleUpdate(messageIn(5))
    await bot.handleUpdate(messageIn(5, 'forget'))
    expect(sessions.peek('7:5')?.value).toBeNull()
    await bot.handleUpdate(messageIn(5))

    expect(sessions.peek('7:5')?.value).toEqual({ count: 1 })
    expect(events.lines).toEqual(['created 7:5'])
  })

  it('a registry that is closed: rejects the update', async () => {
    const { sessions } = counters()
    await sessions.close()

    expect(await failureOf(() => countingBot(sessions).handleUpdate(messageIn(5)))).toEqual(
      sessionError('ERR_SESSION_REGISTRY_CLOSED'),
    )
  })
})
