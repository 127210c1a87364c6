import { Keyv as Keyv5 } from 'keyv5'
import { Keyv as Keyv6 } from 'keyv6'
import type { SessionStore } from 'session-registry'
import { type KeyvLike, keyvStore } from 'session-registry/stores/keyv'
import { describe, expect, it } from 'vitest'
import { sessionError } from '../support/session-error.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'
import { describeFailures, describeStore } from './describe-store.ts'

/** What an adapter of a Keyv does when its database is away. */
type Failing = 'rejects' | 'emits and answers'

/** An adapter over a `Map`, as those of databases are. */
class Adapter {
  readonly kept = new Map<string, unknown>()
  readonly opts = {}
  namespace: string | undefined
  failing: Failing | undefined
  /** Whether it returns `true` for a write that failed. */
  saysTrue = true
  deletesNothing = false
  readonly #listeners: ((error: unknown) => void)[] = []

  on(event: string, listener: (error: unknown) => void): this {
    if (event === 'error') this.#listeners.push(listener)
    return this
  }

  async get(key: string): Promise<unknown> {
    return this.#unlessFailing(() => this.kept.get(key), undefined)
  }

  async set(key: string, value: unknown): Promise<boolean> {
    return this.#unlessFailing(() => {
      this.kept.set(key, value)
      return true
    }, this.saysTrue)
  }

  async delete(key: string): Promise<boolean> {
    if (this.deletesNothing) return false
    return this.#unlessFailing(() => this.kept.delete(key), false)
  }

  async has(key: string): Promise<boolean> {
    return this.kept.has(key)
  }

  async clear(): Promise<void> {
    this.kept.clear()
  }

  async disconnect(): Promise<void> {}

  #unlessFailing<R>(call: () => R, otherwise: R): R {
    if (this.failing === undefined) return call()
    const error = new Error('the database is away')
    if (this.failing === 'rejects') throw error
    for (const listener of this.#listeners) listener(error)
    return otherwise
  }
}

interface Made {
  readonly keyv: KeyvLike & { on(event: 'error', listener: (error: unknown) => void): unknown }
  readonly adapter: Adapter
}

const versions: Record<string, (options?: object) => Made> = {
  'Keyv 5': (options) => {
    const adapter = new Adapter()
    return { keyv: new Keyv5({ store: adapter, ...options }), adapter }
  },
  'Keyv 6': (options) => {
    const adapter = new Adapter()
    return { keyv: new Keyv6({ store: adapter as never, ...options }), adapter }
  },
}

const adapters = new WeakMap<SessionStore, Adapter>()

function setFailing(failing: Failing) {
  return (store: SessionStore) => {
    const adapter = adapters.get(store)
    if (adapter !== undefined) adapter.failing = failing
  }
}

describeStore('Keyv 5 in memory', () => keyvStore(new Keyv5()), { compares: false })
describeStore('Keyv 6 in memory', () => keyvStore(new Keyv6()), { compares: false })

describe.each(Object.entries(versions))('%s', (version, make) => {
  for (const failing of ['rejects', 'emits and answers'] as const) {
    for (const hasListener of [false, true]) {
      const how = `${hasListener ? 'with' : 'without'} a listener of the application`
      const makeStore = () => {
        const { keyv, adapter } = make()
        if (hasListener) keyv.on('error', () => {})
        const store = keyvStore(keyv)
        adapters.set(store, adapter)
        return store
      }
      describeFailures(`${version} whose database ${failing}, ${how}`, makeStore, {
        compares: false,
        fail: setFailing(failing),
      })
    }
  }

  it('keeps a text of its own under a hash, without a time to live', async () => {
    const { keyv, adapter } = make({ ttl: 1 })
    const store = keyvStore(keyv)
    const session = storedSession()
    await store.put(session, replacing(null))
    await new Promise((resolve) => setTimeout(resolve, 20))

    expect(await store.get('ada', context())).toEqual(session)
    expect([...adapter.kept.keys()]).toEqual([expect.stringMatching(/^(keyv:)?[0-9a-f]{64}$/)])
    expect(String([...adapter.kept.values()])).toContain('s1:')
  })

  it.each(['hello', 's1:{"id"', 7, { id: 'ada' }, '', null])(
    'rejects where something else is there: %j',
    async (value) => {
      const { keyv, adapter } = make()
      const store = keyvStore(keyv)
      await store.put(storedSession(), replacing(null))
      const [key = ''] = adapter.kept.keys()
      adapter.kept.set(key, JSON.stringify({ value }))

      await expect(store.get('ada', context())).rejects.toThrow(/stored/)
    },
  )

  it.each([false, true])('rejects where the text does not parse (a listener: %s)', async (hasListener) => {
    const { keyv, adapter } = make()
    if (hasListener) keyv.on('error', () => {})
    const store = keyvStore(keyv)
    await store.put(storedSession(), replacing(null))
    const [key = ''] = adapter.kept.keys()
    adapter.kept.set(key, '{"value":"s1:')

    await expect(store.get('ada', context())).rejects.toThrow()
  })

  it('rejects where a write is answered with false', async () => {
    const { keyv, adapter } = make()
    const store = keyvStore(keyv)
    adapter.set = async () => false

    await expect(store.put(storedSession(), replacing(null))).rejects.toThrow(/did not store/)
  })

  it('rejects where a deletion has deleted nothing, and fulfils where there was nothing', async () => {
    const { keyv, adapter } = make()
    const store = keyvStore(keyv)
    await store.put(storedSession(), replacing(null))
    adapter.deletesNothing = true

    await expect(store.delete('ada', context())).rejects.toThrow(/did not delete/)
    await store.delete('nobody', context())
  })

  it('assigns a failure to the call that it belongs to', async () => {
    const { keyv, adapter } = make()
    const store = keyvStore(keyv)
    keyv.on('error', () => {})
    const get = adapter.get.bind(adapter)
    adapter.get = async (key) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      if (key.endsWith(failingKey)) throw new Error('the database is away')
      return get(key)
    }
    await store.put(storedSession({ id: 'bob' }), replacing(null))
    const [bob] = [...adapter.kept.keys()]
    const failingKey = bob?.slice(-64) ?? ''
    const outcomes = await Promise.allSettled([
      store.get('ada', context()),
      store.get('bob', context()),
      store.get('cy', context()),
    ])

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('changes nothing of what the calls of the application do', async () => {
    const outcomes = async (isWatched: boolean, hasListener: boolean) => {
      const { keyv, adapter } = make()
      const heard: unknown[] = []
      if (hasListener) keyv.on('error', (error) => heard.push(error))
      if (isWatched) await keyvStore(keyv).put(storedSession(), replacing(null))
      adapter.failing = 'rejects'
      const own = keyv as unknown as { get(key: string): Promise<unknown> }
      const results = await Promise.allSettled([
        own.get('k'),
        keyv.getRaw('k'),
        keyv.set('k', 'v'),
        keyv.delete('k'),
      ])
      return {
        results: results.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))),
        heard: heard.length,
      }
    }

    expect(await outcomes(true, false)).toEqual(await outcomes(false, false))
    expect(await outcomes(true, true)).toEqual(await outcomes(false, true))
  })

  it('listens once, however many stores share a Keyv', async () => {
    const { keyv } = make()
    let listeners = 0
    const on = keyv.on.bind(keyv)
    keyv.on = (event, listener) => {
      listeners += 1
      return on(event, listener)
    }
    for (let n = 0; n < 200; n += 1) keyvStore(keyv)

    expect(listeners).toBe(1)
  })

  it('deletes a revision only if it is there', async () => {
    const store = keyvStore(make().keyv)
    const session = storedSession()
    await store.put(session, replacing(null))
    await store.delete('ada', { ...context(), replaces: 'another' })
    expect(await store.get('ada', context())).toEqual(session)
    await store.delete('ada', { ...context(), replaces: session.revision })

    expect(await store.get('ada', context())).toBeUndefined()
  })

  it('settles soon where the database answers nothing, and holds its session up until it does', async () => {
    const { keyv, adapter } = make()
    const store = keyvStore(keyv)
    await store.put(storedSession(), replacing(null))
    let answer = () => {}
    adapter.delete = () =>
      new Promise((resolve) => {
        answer = () => resolve(adapter.kept.delete([...adapter.kept.keys()][0] ?? ''))
      })
    const signal = AbortSignal.timeout(20)
    await expect(store.delete('ada', { signal })).rejects.toSatisfy((error) => error === signal.reason)
    const session = storedSession({ text: 'second' })
    const write = store.put(session, replacing(undefined))
    answer()

    expect(await write).toBe(true)
    expect(await store.get('ada', context())).toEqual(session)
  })
})

describe('a keyv store: its arguments', () => {
  it.each([undefined, null, 'redis://', {}, { get() {}, set() {}, delete() {}, on() {} }, new Map()])(
    'is refused without a Keyv of 5.5 or newer: %j',
    (given) => {
      expect(() => keyvStore(given as never)).toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect(() => keyvStore(given as never)).toThrow(/5\.5/)
    },
  )

  it('is refused with a Keyv that keeps its errors to itself', () => {
    expect(() => keyvStore(new Keyv5({ emitErrors: false }))).toThrow(/emitErrors/)
  })

  it('has nothing that it cannot do: it neither closes, nor prunes, nor knows owners', () => {
    const store = keyvStore(new Keyv5())

    expect([store.close, store.prune, store.owned]).toEqual([undefined, undefined, undefined])
  })
})
