import { SessionRegistry } from 'session-registry'
import { registryStore } from 'session-registry/express-session'
import { describe, expect, it } from 'vitest'
import { installFakeGlobals } from '../support/fake-globals.ts'
import { FaultStore } from '../support/fault-store.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { clockedStore, type Data, inMs, makeStore, minute } from './promised-store.ts'

const data = { cookie: {}, user: 'ada' }

describe('destroy, in a store', () => {
  it.each(['in memory', 'in the store alone'])(
    'of a session %s: calls back when the store has deleted it',
    async (where) => {
      const store = new FaultStore()
      const { sessions, set, destroy } = makeStore({ store })
      await set('a', data)
      const isRestarted = where !== 'in memory'
      if (isRestarted) await sessions.close()
      const restarted = isRestarted ? makeStore({ store }).destroy : destroy
      const deletion = store.gateNext('delete')
      let isDone = false
      const destroyed = restarted('a').then(() => {
        isDone = true
      })
      await deletion.begun
      await new Promise(setImmediate)
      expect(isDone).toBe(false)
      deletion.end.resolve()
      await destroyed

      expect(store.session('a')).toBeUndefined()
    },
  )

  it('that the store fails once: succeeds', async () => {
    const store = new FaultStore()
    const { set, destroy } = makeStore({ store })
    await set('a', data)
    store.failNext('delete')
    await destroy('a')

    expect(store.session('a')).toBeUndefined()
  })

  it('that the store goes on failing: fails after 3 seconds; the deletion goes on', async () => {
    const clock = installFakeGlobals()
    const store = new FaultStore()
    const { set, get, destroy, sessions } = makeStore({ store })
    sessions.on('error', () => {})
    await set('a', data)
    store.isBroken = true
    const destroyed = failureOf(() => destroy('a'))
    await clock.tickAsync(2_999)
    expect(sessions.size).toBe(0)
    expect(store.session('a')).toBeDefined()
    await clock.tickAsync(1)
    expect(await destroyed).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    store.isBroken = false
    await clock.tickAsync(minute)

    expect(store.session('a')).toBeUndefined()
    expect(await get('a')).toBeNull()
    expect(clock.countTimers()).toBeLessThanOrEqual(1)
  })

  it('that the registry’s `close` gives up: fails', async () => {
    const store = new FaultStore()
    const { set, destroy, sessions } = makeStore({ store })
    sessions.on('error', () => {})
    await set('a', data)
    store.failNext('delete', 1_000)
    const destroyed = failureOf(() => destroy('a'))
    await sessions.close({ deadlineMs: 1 })

    expect(await destroyed).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(await failureOf(() => destroy('a'))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
  })

  it('inside a turn of the session: waits for the store, and not for the turn', async () => {
    // No timer fires.
    installFakeGlobals()
    const store = new FaultStore()
    const { set, destroy, sessions } = makeStore({ store })
    await set('a', data)
    const turn = sessions.run('a', async () => {
      await destroy('a')
      expect(store.session('a')).toBeUndefined()
      return 'left'
    })

    expect(await failureOf(() => turn)).toEqual(sessionError('ERR_SESSION_ENDED'))
  })
})

describe('destroy, without a store', () => {
  it('neither loads nor waits, and succeeds after `close`', async () => {
    const loads: string[] = []
    const { set, destroy, sessions } = makeStore({ load: (id) => void loads.push(id) })
    await set('a', data)
    loads.length = 0
    const missesBefore = sessions.stats().misses
    await destroy('a')
    expect(sessions.stats().misses).toBe(missesBefore)
    await sessions.close()
    await destroy('a')

    expect(loads).toEqual([])
  })

  it('from a source of the application’s own: opens nothing, which its `load` could bring back', async () => {
    const stored = new Map([['a', { ...data }]])
    const registry = new SessionRegistry<Data>({ load: (id) => stored.get(id), archive: () => {} })
    // As a wrapper that counts or logs the calls.
    const source = new Proxy(registry, {
      get: (target, name) => {
        const member = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    await registry.open('a')
    const destroyed = new Promise((resolve) => registryStore(source).destroy('a', resolve))
    // The application deletes its row only after it has learned of the end.
    await destroyed
    stored.delete('a')

    expect(registry.has('a')).toBe(false)
  })
})

describe('a cookie that lasts longer than half of `keepMs`', () => {
  const keepMs = 40 * minute
  const tooLong = () => ({ ...data, cookie: { expires: inMs(keepMs / 2 + 1) } })

  it('set: is refused by the name of the option of the cookie, and nothing has changed', async () => {
    const store = new FaultStore()
    const { set, get, events } = clockedStore({ store, keepMs })
    const error = (await failureOf(() => set('a', tooLong()))) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toBe(
      "Expected the cookie's `maxAge` (or `expires`) to be at most 1200000 ms ahead, half of the registry's `keepMs`, got 1200001 (number)",
    )
    expect([events.lines, store.take()]).toEqual([[], []])
    await set('a', { ...data, cookie: { expires: inMs(keepMs / 2) } })
    await failureOf(() => set('a', { ...tooLong(), user: 'bob' }))

    expect(await get('a')).toMatchObject({ user: 'ada' })
  })

  it('touch: is refused, and nothing has changed', async () => {
    const { set, get, touch } = clockedStore({ store: new FaultStore(), keepMs })
    const expires = inMs(minute)
    await set('a', { ...data, cookie: { expires } })
    expect(await failureOf(() => touch('a', tooLong()))).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))

    expect(await get('a')).toEqual({ ...data, cookie: { expires: expires.toISOString() } })
  })

  it('that an earlier configuration stored: is read', async () => {
    const store = new FaultStore()
    const { set, sessions } = clockedStore({ store })
    await set('a', { ...data, cookie: { expires: inMs(keepMs) } })
    await sessions.close()
    const { get, sessions: restarted } = makeStore({ store, keepMs })

    expect(await get('a')).toMatchObject({ user: 'ada' })
    expect(restarted.peek('a')?.timeoutMs).toBe(keepMs / 2)
  })

  it('without a store: is accepted', async () => {
    const { set, get } = clockedStore()
    await set('a', tooLong())

    expect(await get('a')).toMatchObject({ user: 'ada' })
  })
})
