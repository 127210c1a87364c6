import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter, once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { installFakeGlobals } from '../support/fake-globals.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'
import { inMs, makeStore, minute } from './promised-store.ts'

const unreadable = {
  cookie: {},
  get views() {
    throw new Error('secret')
  },
}
const circular = { cookie: {}, self: {} }
circular.self = circular

describe('values', () => {
  it('are what JSON keeps of the session, `toJSON` respected', async () => {
    const { get, set, sessions } = makeStore()
    class Visit {
      cookie = { toJSON: () => ({ path: '/' }) }
      at = new Date(0)
      seen = new Map([[1, 2]])
      save() {}
      get req() {
        return 'hidden'
      }
    }
    await set('a', Object.assign(new Visit(), { [Symbol('key')]: 1, fn: () => {}, none: undefined }))
    const kept = { cookie: { path: '/' }, at: '1970-01-01T00:00:00.000Z', seen: {} }

    expect(sessions.get('a')).toStrictEqual(kept)
    expect(await get('a')).toStrictEqual(kept)
  })

  it('are copies in both directions', async () => {
    const { get, set, sessions } = makeStore()
    const data = { cookie: {}, cart: ['tea'] }
    const written = set('a', data)
    data.cart.push('milk')
    await written
    const read = (await get('a')) as typeof data
    read.cart.push('sugar')

    expect(sessions.get('a')).toEqual({ cookie: {}, cart: ['tea'] })
  })

  it('keep a key `__proto__` without using it', async () => {
    const { get, set, touch } = makeStore()
    await set('a', JSON.parse('{"cookie":{},"__proto__":{"admin":true}}'))
    await touch('a', { cookie: { path: '/' } })
    const read = await get('a')

    expect(read).not.toHaveProperty('admin')
    expect(JSON.stringify(read)).toBe('{"cookie":{"path":"/"},"__proto__":{"admin":true}}')
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'secret'],
    ['a list', ['secret']],
    ['a function', () => 'secret'],
    ['a getter that throws', unreadable],
    ['an object that contains itself', circular],
    ['a bigint', { cookie: {}, n: 5n }],
  ])('of which JSON keeps no object are refused: %s', async (_what, data) => {
    const { set, sessions } = makeStore()
    const error = (await failureOf(() => set('a', data))) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).not.toContain('secret')
    expect(sessions.size).toBe(0)
  })

  it('of the application’s own, without a cookie: are read', async () => {
    const { get, sessions } = makeStore()
    sessions.set('a', { views: 1 } as never)

    expect(await get('a')).toEqual({ views: 1 })
  })
})

describe('turns', () => {
  it('reads: run beside a running turn', async () => {
    const { get, set, sessions } = makeStore()
    await set('a', { cookie: {}, views: 1 })
    const finished = deferred()
    const turn = sessions.run('a', () => finished.promise)
    expect(await get('a')).toMatchObject({ views: 1 })
    finished.resolve()
    await turn
  })

  it('inside a turn: a write joins it', async () => {
    const { get, set, sessions } = makeStore()
    const seen = await sessions.run(
      'a',
      async () => {
        await set('a', { cookie: {}, views: 1 })
        return get('a')
      },
      { create: () => ({ cookie: {} }) },
    )

    expect(seen).toMatchObject({ views: 1 })
  })

  it('destroy: ends a session in the middle of a turn', async () => {
    const { set, destroy, sessions, events } = makeStore()
    await set('a', { cookie: {} })
    const turn = sessions.run('a', (_session, signal) => once(signal, 'abort'))
    await destroy('a')
    await turn

    expect(events.lines).toEqual(['created a', 'ended a deleted'])
  })

  it('destroy of an unknown session: succeeds', async () => {
    await expect(makeStore().destroy('a')).resolves.toBeUndefined()
  })
})

describe('errors', () => {
  it.each([
    ['', 'empty'],
    ['x'.repeat(1_025), 'too long'],
    [undefined, 'missing'],
    [7.5, 'a fraction'],
  ])('an id that is %j (%s) is refused by each method', async (id, _what) => {
    const { get, set, touch, destroy, sessions } = makeStore()
    const data = { cookie: {} }
    for (const call of [() => get(id), () => set(id, data), () => touch(id, data), () => destroy(id)]) {
      expect(await failureOf(call)).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    }
    expect(sessions.size).toBe(0)
  })

  it('with the code ENOENT: have another code, and the error as their cause', async () => {
    const cause = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    const { get, set, touch } = makeStore({ load: () => Promise.reject(cause) })
    const data = { cookie: {} }
    for (const call of [() => get('a'), () => set('a', data), () => touch('a', data)]) {
      const error = (await failureOf(call)) as Error
      expect(error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
      expect(error.cause).toBe(cause)
    }
  })

  it('that are no errors reach the callback as one', async () => {
    for (const reason of [undefined, null, 0, '']) {
      const { get } = makeStore({ load: () => Promise.reject(reason) })
      expect(await failureOf(() => get('a'))).toBeTruthy()
    }
  })

  it('without a callback: are dropped, as the frameworks’ own stores do', async () => {
    const { store } = makeStore()
    store.set('', { cookie: {} })
    store.touch('', { cookie: {} })
    store.destroy('')
    await new Promise(setImmediate)
  })

  it('something else instead of a callback: is refused at once, and nothing is done', () => {
    const { store, sessions } = makeStore()
    for (const done of [null, 'secret', {}]) {
      expect(() => store.set('a', { cookie: {} }, done as never)).toThrow(TypeError)
      expect(() => store.get('', done as never)).toThrow(TypeError)
    }
    expect(sessions.size).toBe(0)
  })

  it('createSession before express-session has the store: says so', () => {
    const error = thrownBy(() => makeStore().store.createSession({}, { cookie: {} })) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toContain('session()')
  })

  it('a read whose new timeout cannot be saved: returns what it read', async () => {
    const clock = installFakeGlobals()
    const stored = new MemoryStore()
    const { get, set } = makeStore({ store: stored })
    await set('a', { cookie: { expires: inMs(minute) }, views: 1 })
    clock.tick(minute / 2)
    stored.put = () => Promise.reject(new Error('disk is full'))
    const read = get('a')
    await clock.tickAsync(10_000)

    expect(await read).toMatchObject({ views: 1 })
  })
})

describe('callbacks', () => {
  it('run in the async context of the call', async () => {
    const { store } = makeStore()
    const request = new AsyncLocalStorage<string>()
    const seen = await new Promise((resolve) => {
      request.run('ada', () => store.set('a', { cookie: {} }, () => resolve(request.getStore())))
    })

    expect(seen).toBe('ada')
  })

  it('the store is an event emitter, as express-session expects', () => {
    expect(makeStore().store).toBeInstanceOf(EventEmitter)
  })
})
