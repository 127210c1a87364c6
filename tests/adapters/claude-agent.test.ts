import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { type AgentEntry, type AgentTranscript, agentSessionStore } from 'session-registry/claude-agent'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { EventRecorder } from '../support/event-recorder.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { describeAgentStore, entry } from './agent-store-contract.ts'

const timeoutMs = 60_000
const main = { projectKey: '-app', sessionId: 's1' }
const sub = { ...main, subpath: 'subagents/agent-1' }
const id = '["-app","s1"]'

function make(options: SessionRegistryOptions<AgentTranscript[]> = {}) {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<AgentTranscript[]>({ clock, timeoutMs, ...options })
  return { clock, sessions, events: new EventRecorder(sessions), store: agentSessionStore(sessions) }
}

describe('a session store of the Claude Agent SDK', () => {
  describeAgentStore(async () => new SessionRegistry<AgentTranscript[]>())
})

describe('sessions', () => {
  it('one for each project and session id, with the subpaths inside', async () => {
    const { store, events, sessions } = make()
    await store.append(sub, [entry('sub')])
    await store.append(main, [entry('main')])
    await store.append({ ...main, sessionId: 's2' }, [entry('other')])

    expect(events.lines).toEqual([`created ${id}`, 'created ["-app","s2"]'])
    expect(sessions.get(id)).toMatchObject([{ subpath: sub.subpath }, { entries: [entry('main')] }])
  })

  it('reads: create none', async () => {
    const { store, events } = make()
    await store.load(main)
    await store.load(sub)
    await store.listSessions('-app')
    await store.listSubkeys(main)
    await store.delete(sub)

    expect(events.lines).toEqual([])
  })

  it('delete: ends the session, in the middle of a turn too', async () => {
    const { store, events, sessions } = make()
    await store.append(main, [entry('one')])
    const finished = deferred()
    const turn = sessions.run(id, () => finished.promise)
    await store.delete(main)
    finished.resolve()
    await turn

    expect(events.lines).toEqual([`created ${id}`, `ended ${id} deleted`])
  })

  it('expiry: the session is neither loaded nor listed, and an append creates one', async () => {
    const { store, clock, events } = make()
    await store.append(main, [entry('old', '1')])
    clock.advance(timeoutMs)
    expect(await store.listSessions('-app')).toEqual([])
    expect(await store.load(main)).toBeNull()
    await store.append(main, [entry('new', '1')])

    expect(await store.load(main)).toEqual([entry('new', '1')])
    expect(events.lines).toEqual([`created ${id}`, `expired ${id} idle`, `ended ${id} idle`, `created ${id}`])
  })

  it('append, load and listSubkeys: are activity; listSessions is not', async () => {
    const { store, clock, sessions } = make()
    await store.append(main, [entry('one')])
    for (const use of [
      () => store.append(main, [entry('two')]),
      () => store.load(main),
      () => store.listSubkeys(main),
    ]) {
      clock.advance(timeoutMs - 1)
      await use()
    }
    clock.advance(timeoutMs - 1)
    expect(await store.listSessions('-app')).toHaveLength(1)
    clock.advance(1)
    expect(sessions.has(id)).toBe(false)
  })

  it('archived: is loaded again, and known uuids with it', async () => {
    const archive = new Map<string, AgentTranscript[]>()
    const { store, clock } = make({
      archive: (session) => archive.set(session.id, structuredClone(session.value)),
      load: async (wanted) => archive.get(wanted),
    })
    await store.append(main, [entry('one', '1')])
    await clock.advanceAsync(10 * timeoutMs)
    expect(archive.size).toBe(1)
    await store.append(main, [entry('one', '1'), entry('two', '2')])

    expect(await store.load(main)).toEqual([entry('one', '1'), entry('two', '2')])
  })

  it('in a store: continue after a restart', async () => {
    const stored = new MemoryStore()
    await make({ store: stored }).store.append(main, [entry('one', '1')])
    const { store } = make({ store: stored })
    await store.append(main, [entry('one', '1'), entry('two', '2')])

    expect(await make({ store: stored }).store.load(main)).toEqual([entry('one', '1'), entry('two', '2')])
  })

  it('rolled back turn: its entries are gone, and can be appended again', async () => {
    const { store, sessions } = make({ rollback: true })
    await store.append(main, [entry('one', '1')])
    const failing = sessions.run(id, async () => {
      await store.append(main, [entry('two', '2')])
      throw new Error('failed')
    })
    await failureOf(() => failing)
    expect(await store.load(main)).toEqual([entry('one', '1')])
    await store.append(main, [entry('two', '2')])

    expect(await store.load(main)).toEqual([entry('one', '1'), entry('two', '2')])
  })

  it('reads: run beside a running turn; appends come after it, or join it from inside', async () => {
    const { store, sessions } = make()
    await store.append(main, [entry('one')])
    const finished = deferred()
    const turn = sessions.run(id, async () => {
      await store.append(main, [entry('inside')])
      await finished.promise
    })
    const appended = store.append(main, [entry('after')])
    expect(await store.load(main)).toEqual([entry('one'), entry('inside')])
    finished.resolve()
    await Promise.all([turn, appended])

    expect(await store.load(main)).toEqual([entry('one'), entry('inside'), entry('after')])
  })
})

describe('listSessions', () => {
  it('mtime: the time of the last write of the main transcript, by the registry’s clock', async () => {
    const { store, clock } = make()
    const start = clock.date()
    const mtime = async () => (await store.listSessions('-app'))[0]?.mtime
    await store.append(main, [entry('one')])
    expect(await mtime()).toBe(start)
    clock.advance(1_000)
    await store.append(sub, [entry('two')])
    await store.load(main)
    expect(await mtime()).toBe(start)
    await store.append(main, [entry('two')])
    expect(await mtime()).toBe(start + 1_000)
  })

  it('passes over ids that the application made', async () => {
    const { store, sessions } = make()
    for (const other of ['a', '["-app"', '["-app",', '["-app",5]', '["-app","x",1]', '["-app", "s"]']) {
      sessions.set(other, [{ subpath: '', mtime: 1, entries: [] }])
    }
    sessions.set('["-app",{"a":1}]', [{ subpath: '', mtime: 1, entries: [] }])
    await store.append(main, [entry('one')])

    expect((await store.listSessions('-app')).map(({ sessionId }) => sessionId)).toEqual(['s1'])
  })
})

describe('entries', () => {
  it('are copies in both directions', async () => {
    const { store } = make()
    const content = ['mine']
    const entries = [{ type: 'user', content }]
    const appended = store.append(main, entries)
    content.push('changed')
    entries.push({ type: 'user', content: [] })
    await appended
    const read = (await store.load(main)) as unknown as { content: string[] }[]
    read[0]?.content.push('changed')
    read.pop()

    expect(await store.load(main)).toEqual([{ type: 'user', content: ['mine'] }])
  })

  it.each([
    ['no list', 'secret'],
    ['undefined', undefined],
    ['a text in the list', [entry('before'), 'secret']],
    ['null in the list', [entry('before'), null]],
    ['a list in the list', [entry('before'), ['secret']]],
    ['a bigint in an entry', [entry('before'), { type: 'user', n: 5n }]],
  ])('that are none are refused, and nothing of the call is stored: %s', async (_what, entries) => {
    const { store, sessions } = make()
    const error = (await failureOf(() => store.append(main, entries as AgentEntry[]))) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).not.toContain('secret')
    expect(sessions.size).toBe(0)
  })

  it('a large transcript: appends stay quick, since known uuids are not read again', async () => {
    const { store, sessions } = make()
    const many = Array.from({ length: 5_000 }, (_, index) => entry('x', `u${index}`))
    await store.append(main, many)
    const { entries = [] } = sessions.get(id)?.[0] ?? {}
    let reads = 0
    entries.map = (...args) => {
      reads += 1
      return Array.prototype.map.apply(entries, args) as never
    }
    for (let call = 0; call < 10; call += 1) await store.append(main, [entry('y', `u${call}`)])

    expect(entries).toHaveLength(5_000)
    expect(reads).toBe(0)
  })
})

describe('keys', () => {
  const calls = (key: unknown) => {
    const { store, sessions } = make()
    const given = key as typeof main
    return {
      sessions,
      calls: [
        () => store.append(given, [entry('one')]),
        () => store.append(given, []),
        () => store.load(given),
        () => store.delete(given),
        () => store.listSubkeys(given),
      ],
    }
  }

  it.each([
    ['no project key', { sessionId: 's1' }],
    ['an empty project key', { projectKey: '', sessionId: 's1' }],
    ['no session id', { projectKey: '-app' }],
    ['an empty session id', { projectKey: '-app', sessionId: '' }],
    ['an object as session id', { projectKey: '-app', sessionId: {} }],
    ['a session id that is too long', { projectKey: '-app', sessionId: 'x'.repeat(1_025) }],
    ['both together too long', { projectKey: 'p'.repeat(512), sessionId: 's'.repeat(506) }],
    ['too long when it is escaped', { projectKey: '\n'.repeat(512), sessionId: 's' }],
  ])('are refused: %s', async (_what, key) => {
    const { sessions, calls: all } = calls(key)
    for (const call of all) {
      const error = (await failureOf(call)) as Error
      expect(error).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
      expect(error.message).toMatch(/`(projectKey|sessionId)`/)
    }
    expect(sessions.size).toBe(0)
  })

  it('the longest that fits: 1 024 UTF-16 units as JSON', async () => {
    const { store, sessions } = make()
    const key = { projectKey: 'p'.repeat(512), sessionId: 's'.repeat(505) }
    await store.append(key, [entry('one')])

    expect([...sessions.keys()].map((one) => one.length)).toEqual([1_024])
    expect(await store.listSessions(key.projectKey)).toMatchObject([{ sessionId: key.sessionId }])
  })

  it.each([[''], [null], [5], [{}]])('a subpath %j is refused', async (subpath) => {
    const { store } = make()
    for (const call of [
      () => store.append({ ...main, subpath } as never, [entry('one')]),
      () => store.load({ ...main, subpath } as never),
      () => store.delete({ ...main, subpath } as never),
    ]) {
      expect(await failureOf(call)).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    }
  })

  it.each([[undefined], [null], ['secret'], [[]]])('%j instead of a key is refused', async (key) => {
    for (const call of calls(key).calls) {
      expect(await failureOf(call)).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    }
  })

  it.each([[undefined], [''], [{}]])('%j is no project to list', async (project) => {
    expect(await failureOf(() => make().store.listSessions(project as string))).toEqual(
      sessionError('ERR_SESSION_ID_INVALID'),
    )
  })
})
