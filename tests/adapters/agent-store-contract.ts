import type { SessionSource } from 'session-registry'
import { type AgentEntry, type AgentTranscript, agentSessionStore } from 'session-registry/claude-agent'
import { expect, it } from 'vitest'

const project = '-home-ada-app'
const main = { projectKey: project, sessionId: 's1' }
const sub = { ...main, subpath: 'subagents/agent-1' }

/** A line of a transcript. */
export const entry = (text: string, uuid?: string): AgentEntry => ({
  type: 'user',
  ...(uuid === undefined ? {} : { uuid }),
  message: { role: 'user', content: [{ type: 'text', text }] },
})

/** What the Claude Agent SDK expects of a store, on whatever registry. */
export function describeAgentStore(makeSource: () => Promise<SessionSource<AgentTranscript[]>>): void {
  const makeStore = async () => agentSessionStore(await makeSource())

  it('append: entries are loaded in the order in which they were appended, as they were', async () => {
    const store = await makeStore()
    const entries = [entry('one', '1'), entry('two', '2'), entry('three')]
    await store.append(main, entries)

    expect(await store.load(main)).toEqual(entries)
  })

  it('several appends: are in the order of the calls, also if none is awaited', async () => {
    const store = await makeStore()
    const texts = ['z', 'a', 'm', 'b']
    await Promise.all(texts.map((text) => store.append(main, [entry(text), entry(`${text}!`)])))

    expect(await store.load(main)).toEqual(texts.flatMap((text) => [entry(text), entry(`${text}!`)]))
  })

  it('unknown key: null, of a main transcript and of a subpath', async () => {
    const store = await makeStore()
    expect(await store.load(main)).toBeNull()
    expect(await store.load(sub)).toBeNull()
    await store.append(main, [entry('one')])
    expect(await store.load(sub)).toBeNull()
    expect(await store.load({ ...main, sessionId: 's2' })).toBeNull()
    expect(await store.load({ ...main, projectKey: '-other' })).toBeNull()
  })

  it('append of nothing: leaves nothing', async () => {
    const store = await makeStore()
    await store.append(main, [])
    await store.append(sub, [])

    expect(await store.load(main)).toBeNull()
    expect(await store.load(sub)).toBeNull()
    expect(await store.listSessions(project)).toEqual([])
    expect(await store.listSubkeys(main)).toEqual([])
  })

  it('repeated uuid: is left out, within a call and across calls', async () => {
    const store = await makeStore()
    const [one, two, three] = [entry('one', '1'), entry('two', '2'), entry('three', '3')]
    await store.append(main, [one, two, one])
    await store.append(main, [two, three])
    await store.append(sub, [one])

    expect(await store.load(main)).toEqual([one, two, three])
    expect(await store.load(sub)).toEqual([one])
  })

  it('entries without a uuid: are all appended', async () => {
    const store = await makeStore()
    const title = { type: 'custom-title', customTitle: 'a title' }
    await store.append(main, [title, title])
    await store.append(main, [title])

    expect(await store.load(main)).toEqual([title, title, title])
  })

  it.each([null, ''])('entries with the uuid %j: have none, and are all appended', async (uuid) => {
    const store = await makeStore()
    const entries = ['one', 'two', 'three'].map((text) => ({ ...entry(text), uuid }) as AgentEntry)
    await store.append(main, entries.slice(0, 2))
    await store.append(main, entries.slice(2))

    expect(await store.load(main)).toEqual(entries)
  })

  it('subpaths: are apart from the main transcript and from each other', async () => {
    const store = await makeStore()
    const other = { ...main, subpath: 'subagents/agent-2' }
    await store.append(main, [entry('main')])
    await store.append(sub, [entry('first')])
    await store.append(other, [entry('second')])

    expect(await store.load(main)).toEqual([entry('main')])
    expect(await store.load(sub)).toEqual([entry('first')])
    expect(await store.load(other)).toEqual([entry('second')])
  })

  it('projects: are apart, with the same session id', async () => {
    const store = await makeStore()
    await store.append(main, [entry('of one')])
    await store.append({ ...main, projectKey: '-other' }, [entry('of the other')])

    expect(await store.load(main)).toEqual([entry('of one')])
    expect(await store.listSessions('-other')).toHaveLength(1)
  })

  it('listSessions: the sessions of the project, with the time of the last write', async () => {
    const store = await makeStore()
    await store.append(main, [entry('one')])
    await store.append({ ...main, sessionId: 's2' }, [entry('two')])
    await store.append({ projectKey: `${project}-2`, sessionId: 's3' }, [entry('three')])
    const listed = await store.listSessions(project)

    expect(listed.map(({ sessionId }) => sessionId).toSorted()).toEqual(['s1', 's2'])
    for (const { mtime } of listed) {
      expect(Number.isInteger(mtime)).toBe(true)
      expect(Math.abs(mtime - Date.now())).toBeLessThan(60_000)
    }
  })

  it('listSessions: an unknown project has none', async () => {
    const store = await makeStore()
    await store.append(main, [entry('one')])

    expect(await store.listSessions('-unknown')).toEqual([])
  })

  it('listSessions: a session that has only subpaths is not listed', async () => {
    const store = await makeStore()
    await store.append(sub, [entry('one')])

    expect(await store.listSessions(project)).toEqual([])
    expect(await store.load(main)).toBeNull()
    expect(await store.listSubkeys(main)).toEqual([sub.subpath])
  })

  it('delete of the main key: takes the subpaths, and nothing else', async () => {
    const store = await makeStore()
    const others = [
      { ...main, sessionId: 's2' },
      { ...main, sessionId: 's' },
      { ...main, projectKey: '-p' },
    ]
    for (const key of [main, sub, ...others]) await store.append(key, [entry('one')])
    await store.delete(main)

    expect([await store.load(main), await store.load(sub)]).toEqual([null, null])
    expect(await store.listSubkeys(main)).toEqual([])
    for (const key of others) expect(await store.load(key)).toEqual([entry('one')])
    expect((await store.listSessions(project)).map(({ sessionId }) => sessionId).toSorted()).toEqual([
      's',
      's2',
    ])
  })

  it('delete of a subpath: takes only that', async () => {
    const store = await makeStore()
    const other = { ...main, subpath: 'subagents/agent-2' }
    for (const key of [main, sub, other]) await store.append(key, [entry('one', '1')])
    await store.delete(sub)

    expect(await store.load(sub)).toBeNull()
    expect(await store.load(main)).toEqual([entry('one', '1')])
    expect(await store.listSubkeys(main)).toEqual([other.subpath])
    await store.append(sub, [entry('one', '1')])
    expect(await store.load(sub)).toEqual([entry('one', '1')])
  })

  it('delete of an unknown key: succeeds, and creates nothing', async () => {
    const store = await makeStore()
    await store.delete(main)
    await store.delete(sub)

    expect(await store.listSessions(project)).toEqual([])
    expect(await store.load(main)).toBeNull()
  })

  it('listSubkeys: the subpaths, without the main one; none of an unknown session', async () => {
    const store = await makeStore()
    await store.append(main, [entry('one')])
    expect(await store.listSubkeys(main)).toEqual([])
    await store.append(sub, [entry('one')])
    await store.append({ ...main, subpath: 'a/b/c' }, [entry('one')])

    expect((await store.listSubkeys(main)).toSorted()).toEqual(['a/b/c', sub.subpath])
    expect(await store.listSubkeys({ ...main, sessionId: 's2' })).toEqual([])
  })

  it.each([
    ['a/b', 'c', 'a', 'b/c'],
    ['a', '","b', 'a","', 'b'],
    ['a,b', 'c', 'a', 'b,c'],
    ['["a","b"]', 'c', 'a', '["b","c"]'],
    ['\ud800', 'c', '\ud801', 'c'],
    ['a\0', 'c', 'a', '\0c'],
    ['__proto__', 'constructor', 'constructor', '__proto__'],
    ['a\\', 'b', 'a', '\\b'],
  ])('keys that look alike are apart: %j %j and %j %j', async (project1, session1, project2, session2) => {
    const store = await makeStore()
    const [first, second] = [
      { projectKey: project1, sessionId: session1 },
      { projectKey: project2, sessionId: session2 },
    ]
    await store.append(first, [entry('first')])
    expect(await store.load(second)).toBeNull()
    await store.append(second, [entry('second')])

    expect(await store.load(first)).toEqual([entry('first')])
    expect(await store.listSessions(project1)).toMatchObject([{ sessionId: session1 }])
    expect(await store.listSessions(project2)).toMatchObject([{ sessionId: session2 }])
  })

  it('subpaths that are names of properties: are apart from everything else', async () => {
    const store = await makeStore()
    for (const subpath of ['__proto__', 'constructor', 'length', '0']) {
      expect(await store.load({ ...main, subpath })).toBeNull()
      await store.append({ ...main, subpath }, [entry(subpath)])
      expect(await store.load({ ...main, subpath })).toEqual([entry(subpath)])
    }
  })

  it('an entry with a member `__proto__`: keeps it', async () => {
    const store = await makeStore()
    const text = '{"type":"user","__proto__":{"admin":true}}'
    await store.append(main, [JSON.parse(text)])

    expect(JSON.stringify(await store.load(main))).toBe(`[${text}]`)
  })
}
