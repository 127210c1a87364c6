import { SessionRegistry } from 'session-registry'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { type Counter, counters, timeoutMs } from '../support/telegram-bots.ts'

describe('a storage', () => {
  it.each(['read', 'get'] as const)('%s: a miss is undefined, and creates nothing', async (method) => {
    const { sessions, events } = counters({ create: () => ({ count: 0 }) })

    expect(await sessionStorage(sessions)[method]('5')).toBeUndefined()
    expect(events.lines).toEqual([])
    expect(sessions.size).toBe(0)
  })

  it.each(['read', 'get'] as const)('%s: is undefined, never null, for an empty session', async (method) => {
    const { sessions } = counters()
    const storage = sessionStorage(sessions)
    for (const empty of [null, undefined]) {
      await storage.write('5', empty as never)
      expect(await storage[method]('5')).toBeUndefined()
    }
  })

  it('stores what a registry with a codec can keep, an empty session too', async () => {
    const { sessions } = counters({ rollback: true, codec: { encode: JSON.stringify, decode: JSON.parse } })
    const storage = sessionStorage(sessions)
    await storage.write('5', undefined as never)

    expect(sessions.peek('5')?.value).toBeNull()
  })

  it('copies in and out: only a write changes what is stored', async () => {
    const sessions = new SessionRegistry<{ list: string[]; at: Date; seen: Set<string> }>()
    const storage = sessionStorage(sessions)
    const given = { list: ['mine'], at: new Date(5), seen: new Set(['a']) }
    const written = storage.write('5', given)
    given.list.push('after the call')
    await written
    const read = await storage.read('5')
    expect(read).toEqual({ list: ['mine'], at: new Date(5), seen: new Set(['a']) })
    read?.list.push('after the read')
    const got = await storage.get('5')
    got?.seen.add('b')

    expect(sessions.peek('5')?.value).toEqual({ list: ['mine'], at: new Date(5), seen: new Set(['a']) })
  })

  it('keeps a key named __proto__, in the session and as its id', async () => {
    const sessions = new SessionRegistry<object>()
    const storage = sessionStorage(sessions)
    const value = JSON.parse('{ "__proto__": { "isAdmin": true } }')
    await storage.write('__proto__', value)
    const read = await storage.read('__proto__')

    expect(Object.keys(read ?? {})).toEqual(['__proto__'])
    expect(read).not.toHaveProperty('isAdmin')
  })

  it('refuses what cannot be copied, and creates nothing', async () => {
    const { sessions } = counters()
    const storage = sessionStorage(sessions)
    const thrower = {
      get count(): number {
        throw new Error('secret')
      },
    }
    for (const value of [() => {}, Symbol('secret'), thrower, { toJSON: () => undefined }]) {
      const error = await failureOf(() => storage.write('5', value as never))
      expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    }
    expect(sessions.size).toBe(0)
  })

  it('reads: are activity', async () => {
    const { sessions, clock } = counters()
    const storage = sessionStorage(sessions)
    await storage.write('5', { count: 1 })
    for (const method of ['read', 'get'] as const) {
      clock.advance(timeoutMs - 1)
      expect(await storage[method]('5')).toEqual({ count: 1 })
    }
    clock.advance(timeoutMs)
    expect(await storage.read('5')).toBeUndefined()
  })

  it('outside a turn: reads beside the running one, writes after it', async () => {
    const { sessions } = counters({ create: () => ({ count: 0 }) })
    const storage = sessionStorage(sessions)
    const { promise, resolve } = deferred()
    const turn = sessions.run('5', async ({ value }) => {
      value.count = 1
      await promise
      value.count += 1
    })
    const written = observe(storage.write('5', { count: 50 }))
    await settle()

    expect(await storage.read('5')).toEqual({ count: 1 })
    expect(written.state).toBe('pending')
    resolve()
    await turn
    await written.settled
    expect(await storage.read('5')).toEqual({ count: 50 })
  })

  it('a number and a bigint as its key become strings', async () => {
    const { sessions } = counters()
    const storage = sessionStorage(sessions)
    await storage.write(-5, { count: 1 })
    await storage.set(2n ** 60n, { count: 2 })

    expect([...sessions.keys()]).toEqual(['-5', '1152921504606846976'])
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['a fraction', 7.5],
    ['an object', {}],
  ])('refuses a key that is %s, by a rejection', async (_what, key) => {
    const { sessions } = counters()
    const storage = sessionStorage(sessions)
    const calls: (() => Promise<unknown>)[] = [
      () => storage.read(key as never),
      () => storage.get(key as never),
      () => storage.write(key as never, { count: 1 }),
      () => storage.set(key as never, { count: 1 }),
      () => storage.delete(key as never),
    ]
    for (const call of calls) {
      const result = call()
      expect(await failureOf(() => result)).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    }
    expect(sessions.size).toBe(0)
  })
})

describe('sessionTurns', () => {
  it.each<[what: string, options: unknown, message: string]>([
    ['an unknown option', { getSesionKey: () => '' }, 'did you mean `getSessionKey`?'],
    [
      'a key that is no function',
      { getSessionKey: 'chat' },
      '`getSessionKey` to be a function, got a string',
    ],
    ['a prefix that is no text', { prefix: 5 }, '`prefix` to be a string, got a number'],
    ['options that are no object', null, '`options` to be an object, got null'],
  ])('refuses %s at once', (_what, options, message) => {
    const error = thrownBy(() => sessionTurns(new SessionRegistry<Counter>(), options as never)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toContain(message)
  })
})
