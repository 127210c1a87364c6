import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { storedSession } from '../../support/store-session.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const failed = sessionError('ERR_SESSION_STORE_FAILED')

/** A registry whose store has a session that is not in memory. */
async function reopened(options: Parameters<typeof storedRegistry>[0] = {}) {
  const { registry, store, clock } = storedRegistry()
  await say(registry, 'ada', 'one')
  store.take()
  return registryOn(store, clock, options)
}

describe('a read of the store', () => {
  it('finds what another registry has written', async () => {
    const { registry, events } = await reopened()

    expect(await registry.open('ada')).toEqual(['one'])
    expect(registry.stats()).toMatchObject({ loaded: 1, created: 1 })
    expect(events.take()).toEqual(['created ada'])
  })

  it('is shared by all that open the id at once', async () => {
    const { registry, store } = await reopened()
    const get = store.gateNext('get')
    const calls = [
      observe(registry.open('ada')),
      observe(registry.run('ada', ({ value }) => value)),
      observe(registry.acquire('ada').then(({ session }) => session.value)),
      observe(
        registry
          .stream('ada', async function* ({ value }) {
            yield value
          })
          .next()
          .then(({ value }) => value),
      ),
    ]
    await get.begun
    await settle()
    expect(calls.map(({ state }) => state)).toEqual(Array(4).fill('pending'))
    get.end.resolve()
    await Promise.all(calls.map(({ settled }) => settled))

    expect(calls.map(({ value }) => value)).toEqual(Array(4).fill(['one']))
    expect(store.take()).toEqual(['get ada'])
  })

  it('finds nothing: the session is created, or absent with `create: false`', async () => {
    const { registry, store } = storedRegistry()

    expect(await registry.open('ada', { create: false })).toBe(undefined)
    expect(await registry.run('ada', () => 'called', { create: false })).toBe(undefined)
    expect(await registry.open('ada')).toEqual([])
    expect(store.take()).toEqual(['get ada', 'get ada', 'get ada'])
  })

  it('hands out a value of its own: a change shows in the store only when it is saved', async () => {
    const { registry, store } = await reopened()
    const value = await registry.open('ada')
    value.push('two')
    await settle()

    expect(store.value('ada')).toEqual(['one'])
    expect(await registry.save('ada')).toBe(true)
    expect(store.value('ada')).toEqual(['one', 'two'])
  })
})

describe('a read that fails', () => {
  it.each(['open', 'run', 'acquire', 'stream'] as const)(
    '%s: rejects with the cause, creates nothing and leaves what is stored',
    async (how) => {
      const { registry, store, events } = await reopened()
      const call = {
        open: () => registry.open('ada'),
        run: () => say(registry, 'ada', 'two'),
        acquire: () => registry.acquire('ada'),
        stream: () =>
          registry
            .stream('ada', async function* () {
              yield 1
            })
            .next(),
      }[how]
      store.failNext('get')
      const error = await failureOf(call)

      expect(error).toEqual(failed)
      expect(error).toMatchObject({ cause: store.failure, statusCode: 503 })
      expect(events.take()).toEqual([])
      expect(registry.size).toBe(0)
      expect(store.value('ada')).toEqual(['one'])
      // The next call reads again.
      await say(registry, 'ada', 'two')
      expect(store.value('ada')).toEqual(['one', 'two'])
    },
  )

  it('`create: false`: rejects, and does not resolve with `undefined`', async () => {
    const { registry, store } = await reopened()
    store.failNext('get', 2)

    await expect(registry.open('ada', { create: false })).rejects.toEqual(failed)
    await expect(registry.run('ada', () => 1, { create: false })).rejects.toEqual(failed)
  })

  it('is tried once', async () => {
    const { registry, store, clock } = await reopened()
    store.isBroken = true
    const opened = observe(registry.open('ada'))
    await settle()
    expect(opened.error).toEqual(failed)
    await clock.advanceAsync(60_000)

    expect(store.take()).toEqual(['get ada'])
  })

  it('rejects all that wait for it', async () => {
    const { registry, store } = await reopened()
    store.failNext('get')
    const errors = await Promise.all([
      failureOf(() => registry.open('ada')),
      failureOf(() => say(registry, 'ada', 'two')),
    ])

    expect(errors).toEqual([failed, failed])
    expect(errors[0]).toBe(errors[1])
  })

  it('throws synchronously: rejects like any other', async () => {
    const { registry, store } = storedRegistry()
    const failure = new TypeError('no connection')
    store.get = () => {
      throw failure
    }

    expect(await failureOf(() => registry.open('ada'))).toMatchObject({ cause: failure })
  })
})

describe('a get that breaks the rules of a store', () => {
  const right = storedSession()

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', '["one"]'],
    ['an empty object', {}],
    ['a session of another id', { ...right, id: 'bob' }],
    ['a text that is none', { ...right, text: ['one'] }],
    ['no revision', { ...right, revision: undefined }],
    ['a creation that is no number', { ...right, createdAt: '2026-01-01' }],
    ['an activity that is no number', { ...right, lastActiveAt: Number.NaN }],
    ['a timeout of 0', { ...right, timeoutMs: 0 }],
    ['a timeout of null', { ...right, timeoutMs: null }],
    ['an empty owner', { ...right, owner: '' }],
    ['an owner of null', { ...right, owner: null }],
  ])('%s: rejects, and is not taken for a miss', async (_, result) => {
    const { registry, store, events } = storedRegistry()
    store.returnNext('get', result)
    const error = await failureOf(() => registry.open('ada'))

    expect(error).toEqual(failed)
    expect((error as Error).cause).toEqual(failed)
    expect(((error as Error).cause as Error).message).toMatch(/^Expected `get` of the store to return /)
    expect(events.take()).toEqual([])
  })
})

describe('`loadTimeoutMs`', () => {
  const timedOut = sessionError('ERR_SESSION_LOAD_TIMEOUT')

  it('aborts a read that takes longer, and rejects with 504', async () => {
    const { registry, store, clock } = await reopened({ loadTimeoutMs: 1_000 })
    const get = store.gateNext('get')
    const opened = observe(registry.open('ada'))
    await get.begun
    await clock.advanceAsync(999)
    expect(opened.state).toBe('pending')
    expect(get.signal?.aborted).toBe(false)
    await clock.advanceAsync(1)

    expect(opened.error).toEqual(timedOut)
    expect(opened.error).toMatchObject({ statusCode: 504 })
    expect(get.signal?.aborted).toBe(true)
    get.end.resolve()
    await settle()
    expect(registry.size).toBe(0)
  })

  it('is for the read, not for the wait for a deletion', async () => {
    const { registry, store, clock } = await reopened({ loadTimeoutMs: 1_000, archiveTimeoutMs: 60_000 })
    const deletion = store.gateNext('delete')
    registry.delete('ada')
    await deletion.begun
    const opened = observe(registry.open('ada'))
    await clock.advanceAsync(5_000)
    expect(opened.state).toBe('pending')
    deletion.end.resolve()
    await opened.settled

    expect(opened.value).toEqual([])
  })
})

describe('`getOrCreate` and `set` with a store', () => {
  it('getOrCreate of a session that is not in memory needs `open`', async () => {
    const { registry, store } = await reopened()

    expect(() => registry.getOrCreate('ada')).toThrow(sessionError('ERR_SESSION_NEEDS_OPEN'))
    expect(() => registry.getOrCreate('ada', () => [])).toThrow(sessionError('ERR_SESSION_NEEDS_OPEN'))
    expect(() => registry.getOrCreate('ada', () => [], { timeoutMs: 5 })).toThrow(
      sessionError('ERR_SESSION_NEEDS_OPEN'),
    )
    await registry.open('ada')
    expect(registry.getOrCreate('ada')).toEqual(['one'])
    expect(store.take()).toEqual(['get ada'])
  })

  it.each(['set', 'replace'] as const)(
    '%s of an id not in memory overwrites with its first save',
    async (how) => {
      const { registry, store } = await reopened()
      registry[how]('ada', ['new'])
      await settle()
      expect(store.value('ada')).toEqual(['one'])
      await say(registry, 'ada', 'two')

      expect(store.value('ada')).toEqual(['new', 'two'])
      expect(store.puts.at(-1)?.replaces).toBe(undefined)
      expect(store.take()).toEqual(['put ada'])
      // From then on it compares.
      store.writeElsewhere({ value: ['elsewhere'] })
      await expect(say(registry, 'ada', 'three')).rejects.toEqual(sessionError('ERR_SESSION_STORE_CONFLICT'))
    },
  )

  it('set during a read: serves those who wait, and overwrites', async () => {
    const { registry, store } = await reopened()
    const get = store.gateNext('get')
    const opened = observe(registry.open('ada'))
    await get.begun
    registry.set('ada', ['new'])
    await opened.settled
    expect(opened.value).toEqual(['new'])
    const saved = observe(registry.save('ada'))
    await settle()
    // The read has not settled, so the write waits.
    expect(saved.state).toBe('pending')
    get.end.resolve()
    await saved.settled

    expect(store.value('ada')).toEqual(['new'])
  })

  it('set while what was read waits for room: it is not used', async () => {
    const { registry, store } = await reopened({ maxSessions: 1 })
    const busy = await registry.acquire('busy')
    const opened = observe(registry.open('ada', { create: false }))
    await settle()
    expect(opened.error).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
    busy.release()
    const put = store.gateNext('put')
    const waiting = observe(registry.open('ada'))
    await put.begun
    registry.delete('ada')
    put.end.resolve()
    await waiting.settled

    // What was read before the deletion has not come back.
    expect(waiting.value).toEqual([])
    expect(store.value('ada')).toBe(undefined)
  })
})
