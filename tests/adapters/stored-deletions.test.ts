import { SessionRegistry, type SessionSource } from 'session-registry'
import { type AgentTranscript, agentSessionStore } from 'session-registry/claude-agent'
import { sessionStorage } from 'session-registry/grammy'
import { newThread, SessionSaver, type Thread, threadCodec } from 'session-registry/langgraph'
import { stateHandles } from 'session-registry/mcp'
import { describe, expect, it } from 'vitest'
import { installFakeGlobals } from '../support/fake-globals.ts'
import { FaultStore } from '../support/fault-store.ts'
import { failureOf, sessionError } from '../support/session-error.ts'

const key = { projectKey: '-app', sessionId: 's1' }

function beginning<T>(sessions: SessionRegistry<T>, id: string) {
  sessions.on('error', () => {})
  return { begin: () => sessions.run(id, () => {}) }
}

const adapters = {
  'claude-agent': (store: FaultStore) => {
    const sessions = new SessionRegistry<AgentTranscript[]>({ create: () => [], store })
    return { ...beginning(sessions, '["-app","s1"]'), remove: () => agentSessionStore(sessions).delete(key) }
  },
  grammy: (store: FaultStore) => {
    const sessions = new SessionRegistry<object>({ create: () => ({}), store })
    return { ...beginning(sessions, 'a'), remove: () => sessionStorage(sessions).delete('a') }
  },
  langgraph: (store: FaultStore) => {
    const sessions = new SessionRegistry<Thread>({ create: newThread, store, codec: threadCodec })
    const source = sessions as SessionSource<Thread>
    return { ...beginning(sessions, 'a'), remove: () => new SessionSaver({ source }).deleteThread('a') }
  },
  mcp: (store: FaultStore) => {
    const sessions = new SessionRegistry<string[]>({ create: () => [], store })
    const handles = stateHandles(sessions, { prefix: 'basket_', argument: 'basket_id', owner: () => 'ada' })
    const context = { authInfo: { token: 'ada', clientId: 'app', scopes: [] } }
    let basket_id = ''
    return {
      begin: async () => {
        const { structuredContent: { basket_id: created } = {} } = await handles.create()(context)
        basket_id = String(created)
      },
      remove: () => handles.drop()({ basket_id }, context),
    }
  },
}

it('a deletion of a source that is not known to have a store: its `load` cannot bring the session back', async () => {
  const loads: string[] = []
  const load = (id: string) => {
    loads.push(id)
    return { of: id }
  }
  const hooked = new SessionRegistry<object>({ create: () => ({}), load, archive: () => {} })
  const wrapped = new Proxy(hooked, {
    get: (registry, name) => {
      const member = Reflect.get(registry, name)
      return typeof member === 'function' ? member.bind(registry) : member
    },
  })
  for (const source of [hooked, wrapped]) {
    hooked.replace('a', {})
    await sessionStorage(source).delete('a')
    expect(hooked.has('a')).toBe(false)
  }

  expect(loads).toEqual([])
})

describe.each(Object.entries(adapters))('a deletion by session-registry/%s', (_name, make) => {
  it('resolves when the store has deleted the session', async () => {
    const store = new FaultStore()
    const { begin, remove } = make(store)
    await begin()
    const deletion = store.gateNext('delete')
    let isDone = false
    const removed = remove().then(() => {
      isDone = true
    })
    await deletion.begun
    await new Promise(setImmediate)
    expect(isDone).toBe(false)
    deletion.end.resolve()
    await removed

    expect(store.size).toBe(0)
  })

  it('rejects if the store has not done so after 3 seconds', async () => {
    const clock = installFakeGlobals()
    const store = new FaultStore()
    const { begin, remove } = make(store)
    await begin()
    store.isBroken = true
    const removed = failureOf(remove)
    await clock.tickAsync(3_000)

    expect(await removed).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
  })
})
