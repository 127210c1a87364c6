import { session } from 'grammy'
import type { SessionSource } from 'session-registry'
import { sessionStorage } from 'session-registry/grammy'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { FaultStore } from '../support/fault-store.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { type Counter, counters, grammyBot, messageIn, timeoutMs } from '../support/telegram-bots.ts'
import { addOne, type Handler, initial, turningBot } from './grammy-bot.ts'

describe('the deletion of a session', () => {
  const forget: Handler = async (ctx) => {
    await addOne(ctx)
    if (ctx.msg?.text === 'forget') ctx.session = null as never
  }

  it('in a turn: empties the value, and the session lives on', async () => {
    const { sessions, events } = counters()
    const bot = turningBot(sessions, forget)
    await bot.handleUpdate(messageIn(5))
    await Promise.all([bot.handleUpdate(messageIn(5, 'forget')), bot.handleUpdate(messageIn(5))])

    expect(sessions.peek('5')?.value).toEqual({ count: 1 })
    expect(events.lines).toEqual(['created 5'])
    await bot.handleUpdate(messageIn(5, 'forget'))
    expect(sessions.has('5')).toBe(true)
    expect(await sessionStorage(sessions).read(5)).toBeUndefined()
  })

  it('in a turn of the registry’s own: empties the value too', async () => {
    const { sessions, events } = counters({ create: initial })
    const storage = sessionStorage(sessions)
    await sessions.run('5', async () => {
      await storage.delete(5)
      expect(await storage.read(5)).toBeUndefined()
    })

    expect(events.lines).toEqual(['created 5'])
  })

  it('in a turn, through a source that wraps the registry: empties the value too', async () => {
    const { sessions, events } = counters()
    const source: SessionSource<Counter> = Object.create(sessions, {
      run: { value: (...args: Parameters<typeof sessions.run>) => sessions.run(...args) },
      delete: { value: (id: string) => sessions.delete(id) },
    })
    await turningBot(source, forget).handleUpdate(messageIn(5, 'forget'))

    expect(events.lines).toEqual(['created 5'])
  })

  it('in a turn of another session: ends the session', async () => {
    const { sessions, events } = counters({ create: initial })
    sessions.getOrCreate('6')
    const bot = turningBot(sessions, () => sessionStorage(sessions).delete(6))
    await bot.handleUpdate(messageIn(5))

    expect(events.lines).toEqual(['created 6', 'created 5', 'ended 6 deleted'])
  })

  it('by what a turn left behind: ends the session', async () => {
    const { sessions, events } = counters()
    const { promise, resolve } = deferred()
    let deleted: Promise<void> | undefined
    const bot = turningBot(sessions, () => {
      deleted = promise.then(() => sessionStorage(sessions).delete(5))
    })
    await bot.handleUpdate(messageIn(5))
    resolve()
    await deleted

    expect(events.lines).toEqual(['created 5', 'ended 5 deleted'])
  })

  it('without turns: ends the session', async () => {
    const { sessions, events } = counters()
    const bot = grammyBot()
    bot.use(session({ initial, storage: sessionStorage(sessions) }), forget)
    await bot.handleUpdate(messageIn(5))
    await bot.handleUpdate(messageIn(5, 'forget'))

    expect(events.lines).toEqual(['created 5', 'ended 5 deleted'])
  })
})

describe('the expiry of a session', () => {
  it('between two updates: the next one starts anew', async () => {
    const { sessions, clock, events } = counters()
    const bot = turningBot(sessions, addOne)
    await bot.handleUpdate(messageIn(5))
    clock.advance(timeoutMs)
    await bot.handleUpdate(messageIn(5))

    expect(sessions.peek('5')?.value).toEqual({ count: 1 })
    expect(events.lines).toEqual(['created 5', 'expired 5 idle', 'ended 5 idle', 'created 5'])
  })

  it('during an update that is a turn: does not happen', async () => {
    const { sessions, clock, events } = counters()
    const bot = turningBot(sessions, async (ctx) => {
      await addOne(ctx)
      await clock.advanceAsync(2 * timeoutMs)
    })
    await bot.handleUpdate(messageIn(5))

    expect(sessions.peek('5')?.value).toEqual({ count: 1 })
    expect(events.lines).toEqual(['created 5'])
  })

  it('during an update without a turn: what was handled is written to a new session', async () => {
    const { sessions, clock, events } = counters()
    const storage = sessionStorage(sessions)
    await storage.write(5, { count: 7 })
    const bot = grammyBot()
    bot.use(session({ initial, storage }), async (ctx) => {
      await addOne(ctx)
      clock.advance(timeoutMs)
    })
    await bot.handleUpdate(messageIn(5))

    expect(sessions.peek('5')?.value).toEqual({ count: 8 })
    expect(events.lines).toEqual(['created 5', 'expired 5 idle', 'ended 5 idle', 'created 5'])
  })
})

describe('the expiry of a session that was never set', () => {
  it.each<[what: string, handler: Handler]>([
    [
      'after an update that failed',
      () => {
        throw new Error('no answer')
      },
    ],
    [
      'after a deletion',
      (ctx) => {
        ctx.session = null as never
      },
    ],
  ])('%s: shows `null` to listeners and to the archive', async (_what, handler) => {
    const shown: unknown[] = []
    const { sessions, clock } = counters({ archive: ({ value }) => void shown.push(value) })
    sessions.on('expired', ({ value }) => shown.push(value))
    const update = observe(turningBot(sessions, handler).handleUpdate(messageIn(5)))
    await update.settled
    await clock.advanceAsync(timeoutMs)
    sessions.sweep()
    await sessions.settled()

    expect(shown).toEqual([null, null])
  })
})

describe('a database that fails', () => {
  it('rejects the update, handles and writes nothing, and the next update finds what was there', async () => {
    let isDown = true
    const failure = new Error('the database is away')
    let handled = 0
    const load = async () => {
      if (isDown) throw failure
      return { count: 7 }
    }
    const { sessions } = counters({ load })
    const bots = [turningBot(sessions, addOne), grammyBot()]
    bots[1]?.use(session({ initial, storage: sessionStorage(sessions) }), addOne)
    for (const bot of bots) bot.use(() => handled++)
    for (const bot of bots) {
      const error = await failureOf(() => bot.handleUpdate(messageIn(5)))
      expect(error).toMatchObject({ error: failure })
    }

    expect(handled).toBe(0)
    expect(sessions.size).toBe(0)
    isDown = false
    await bots[0]?.handleUpdate(messageIn(5))
    expect(sessions.peek('5')?.value).toEqual({ count: 8 })
  })

  it('for a write alone: rejects the update, and the next one has what was said', async () => {
    const store = new FaultStore()
    const { sessions, clock } = counters({ store })
    const bot = turningBot(sessions, addOne)
    store.failNext('put', 3)
    const failed = observe(bot.handleUpdate(messageIn(5)))
    await settle()
    await clock.advanceAsync(2_000)
    await failed.settled
    expect(failed.error).toMatchObject({ error: sessionError('ERR_SESSION_STORE_FAILED') })

    await bot.handleUpdate(messageIn(5))
    expect(store.value('5')).toEqual({ count: 2 })
  })

  it('a registry that closes: refuses the update', async () => {
    const { sessions } = counters()
    await sessions.close()
    const error = await failureOf(() => turningBot(sessions, addOne).handleUpdate(messageIn(5)))

    expect(error).toMatchObject({ error: sessionError('ERR_SESSION_REGISTRY_CLOSED') })
  })
})
