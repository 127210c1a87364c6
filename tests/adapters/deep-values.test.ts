import { promisify } from 'node:util'
import { SessionRegistry, type SessionStore } from 'session-registry'
import { type AgentTranscript, agentSessionStore } from 'session-registry/claude-agent'
import { registryStore } from 'session-registry/express-session'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openFiles } from '../support/file-stores.ts'
import { failureOf, sessionError } from '../support/session-error.ts'

/** The most levels of what an adapter takes in as JSON. */
const maxDepth = 900

/** Lists in each other, as a body that a visitor has sent. */
const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))

const invalid = sessionError('ERR_SESSION_VALUE_INVALID')

function openRegistry<T>(store: SessionStore | undefined): SessionRegistry<T> {
  const registry = new SessionRegistry<T>(store === undefined ? {} : { store })
  onTestFinished(async () => void (await registry.close()))
  return registry
}

describe.each([
  ['in memory', () => undefined],
  ['with a file store', openFiles],
])('deep values %s', (_where, open) => {
  type Data = { cookie: object; draft?: unknown }

  function webStore(store: SessionStore | undefined) {
    const sessions = openRegistry<Data>(store)
    const web = registryStore(sessions)
    return {
      sessions,
      get: promisify<string, Data | null>((id, done) => web.get<Data>(id, done as never)),
      set: promisify<string, Data, void>((id, data, done) => web.set(id, data, done)),
      touch: promisify<string, Data, void>((id, data, done) => web.touch(id, data, done)),
    }
  }

  it('express-session: the deepest is written, touched, read, and read after a restart', async () => {
    const files = open()
    const { sessions, get, set, touch } = webStore(files?.store)
    const data = { cookie: {}, draft: nested(maxDepth - 1) }
    await set('a', data)
    await touch('a', { cookie: nested(maxDepth) as object })
    const expected = { cookie: nested(maxDepth), draft: data.draft }

    expect(JSON.stringify(await get('a'))).toBe(JSON.stringify(expected))
    if (files === undefined) return
    await sessions.close()
    const restarted = webStore(openFiles(files.folder).store)
    expect(JSON.stringify(await restarted.get('a'))).toBe(JSON.stringify(expected))
  })

  it('express-session: a deeper one is refused, and the session stays as it was', async () => {
    const { get, set, touch } = webStore(open()?.store)
    const draft = nested(maxDepth)
    await set('a', { cookie: {}, draft: 'kept' })

    expect(await failureOf(() => set('a', { cookie: {}, draft }))).toEqual(invalid)
    expect(await failureOf(() => touch('a', { cookie: { draft } }))).toEqual(invalid)
    expect(await failureOf(() => set('b', { cookie: {}, draft }))).toEqual(invalid)
    expect(await get('a')).toEqual({ cookie: {}, draft: 'kept' })
    expect(await get('b')).toBeNull()
    await set('a', { cookie: {}, draft: 'changed' })
    expect(await get('a')).toMatchObject({ draft: 'changed' })
  })

  it('Claude Agent SDK: the deepest is appended, loaded, and loaded after a restart', async () => {
    const files = open()
    const sessions = openRegistry<AgentTranscript[]>(files?.store)
    const store = agentSessionStore(sessions)
    const key = { projectKey: '-app', sessionId: 's1' }
    // The list of entries and the entry are two of its levels.
    const entries = [{ type: 'user', uuid: '1', result: nested(maxDepth - 2) }]
    await store.append(key, entries)
    await store.append({ ...key, subpath: 'subagents/agent-1' }, entries)

    expect(JSON.stringify(await store.load(key))).toBe(JSON.stringify(entries))
    if (files === undefined) return
    await sessions.close()
    const restarted = agentSessionStore(openRegistry<AgentTranscript[]>(openFiles(files.folder).store))
    expect(JSON.stringify(await restarted.load(key))).toBe(JSON.stringify(entries))
  })

  it('Claude Agent SDK: a call with a deeper one is refused, and the transcript goes on', async () => {
    const store = agentSessionStore(openRegistry<AgentTranscript[]>(open()?.store))
    const key = { projectKey: '-app', sessionId: 's1' }
    const [one, two] = [
      { type: 'user', uuid: '1' },
      { type: 'user', uuid: '2' },
    ]
    const deep = { type: 'user', uuid: '3', result: nested(maxDepth - 1) }
    await store.append(key, [one])

    expect(await failureOf(() => store.append(key, [two, deep]))).toEqual(invalid)
    expect(await failureOf(() => store.append({ ...key, sessionId: 's2' }, [deep]))).toEqual(invalid)
    await store.append(key, [two])
    expect(await store.load(key)).toEqual([one, two])
    expect(await store.load({ ...key, sessionId: 's2' })).toBeNull()
  })
})
