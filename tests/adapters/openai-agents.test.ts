import type { AgentInputItem } from '@openai/agents'
import { SessionRegistry } from 'session-registry'
import { agentSession } from 'session-registry/openai-agents'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { describeAdapter } from './adapter-contract.ts'

type UserMessage = Extract<AgentInputItem, { role: 'user' }>

const user = (text: string): AgentInputItem => ({ role: 'user', content: [{ type: 'input_text', text }] })
const content = (item: AgentInputItem) => (item as UserMessage).content[0] as { text: string }
const textOf = (item: AgentInputItem) => content(item).text

describeAdapter<AgentInputItem>('the session for OpenAI Agents, as an adapter', {
  conversation: (source, id) => {
    const session = agentSession(source, id)
    return { read: () => session.getItems(), write: (items) => session.addItems(items) }
  },
  message: user,
  textOf,
  change: (item, text) => {
    content(item).text = text
  },
  nonsense: [
    'secret',
    7,
    null,
    undefined,
    {},
    [],
    { content: 'secret' },
    { type: 7 },
    { type: null, role: null },
  ],
})

function make() {
  const sessions = new SessionRegistry<AgentInputItem[]>({ create: () => [] })
  const texts = () => sessions.peek('a')?.value.map(textOf)
  return { sessions, session: agentSession(sessions, 'a'), texts }
}

describe('the session for OpenAI Agents', () => {
  it('refuses an invalid id at once', () => {
    const { sessions } = make()
    for (const id of ['', undefined, Number.NaN]) {
      expect(() => agentSession(sessions, id as string)).toThrow(
        sessionError('ERR_SESSION_ID_INVALID') as Error,
      )
    }
  })

  it('names the session, and creates none for it', async () => {
    const { sessions } = make()

    expect(await agentSession(sessions, 'a').getSessionId()).toBe('a')
    expect(await agentSession(sessions, 7).getSessionId()).toBe('7')
    expect(sessions.size).toBe(0)
  })

  it.each([
    [undefined, ['1', '2', '3']],
    [0, []],
    [1, ['3']],
    [2, ['2', '3']],
    [3, ['1', '2', '3']],
    [4, ['1', '2', '3']],
    [Number.MAX_SAFE_INTEGER, ['1', '2', '3']],
    [Number.POSITIVE_INFINITY, ['1', '2', '3']],
  ])('returns the newest of three items, at most %s, in order', async (limit, expected) => {
    const { session } = make()
    await session.addItems(['1', '2', '3'].map(user))

    expect((await session.getItems(limit)).map(textOf)).toEqual(expected)
  })

  it.each([[-1], [1.5], [Number.NaN], [Number.NEGATIVE_INFINITY], [null], ['1']])(
    'refuses the limit %j',
    async (limit) => {
      const { session } = make()
      await session.addItems([user('1')])

      const error = await failureOf(() => session.getItems(limit as number))
      expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect((error as Error).message).toMatch(
        /^Expected `limit` to be zero, a positive integer or Infinity, got /,
      )
    },
  )

  it('appends items, and nothing for an empty list', async () => {
    const { sessions, session, texts } = make()
    await session.addItems([])
    expect(sessions.size).toBe(0)
    await session.addItems([user('1')])
    await session.addItems([user('2'), user('3')])

    expect(texts()).toEqual(['1', '2', '3'])
  })

  it('appends a long history in one call', async () => {
    const { sessions, session } = make()
    const items = Array.from(
      { length: 150_000 },
      (_, index) => ({ role: 'user', content: `${index}` }) as const,
    )
    await session.addItems(items)

    expect(sessions.get('a')).toHaveLength(150_000)
  })

  it('removes and returns the newest item, or undefined', async () => {
    const { sessions, session, texts } = make()
    expect(await session.popItem()).toBeUndefined()
    expect(sessions.size).toBe(0)
    await session.addItems([user('1'), user('2')])

    expect(await session.popItem()).toEqual(user('2'))
    expect(texts()).toEqual(['1'])
    expect(await session.popItem()).toEqual(user('1'))
    expect(await session.popItem()).toBeUndefined()
    expect(sessions.size).toBe(1)
  })

  it('clearSession: empties the list, and the session lives on', async () => {
    const { sessions, session, texts } = make()
    await session.clearSession()
    expect(sessions.size).toBe(0)
    await session.addItems([user('1')])
    const life = sessions.peek('a')
    await session.clearSession()

    expect(await session.getItems()).toEqual([])
    expect(sessions.peek('a')).toBe(life)
    await session.addItems([user('2')])
    expect(texts()).toEqual(['2'])
  })

  it('keeps the list object of a turn in pop, clear and add', async () => {
    const { sessions, session, texts } = make()
    await session.addItems([user('1'), user('2')])
    await sessions.run('a', async ({ value }) => {
      await session.popItem()
      await session.clearSession()
      await session.addItems([user('3')])
      value.push(user('4'))
    })

    expect(texts()).toEqual(['3', '4'])
  })

  it('pops and clears after the running turn', async () => {
    const { sessions, session, texts } = make()
    const finished = deferred()
    const turn = sessions.run('a', async ({ value }) => {
      await finished.promise
      value.push(user('1'), user('2'))
    })
    const popped = observe(session.popItem())
    const cleared = observe(session.clearSession())
    await settle()
    expect([popped.state, cleared.state]).toEqual(['pending', 'pending'])
    finished.resolve()
    await turn
    await cleared.settled

    expect(popped.value).toEqual(user('2'))
    expect(texts()).toEqual([])
  })

  it('replaces a history by its compaction in one step', async () => {
    const { session, texts } = make()
    await session.addItems([user('1'), user('2')])
    await session.replaceHistoryWithCompaction?.([user('compact'), user('2')])

    expect(texts()).toEqual(['compact', '2'])
    expect(await failureOf(() => session.replaceHistoryWithCompaction?.(['secret' as never]))).toEqual(
      sessionError('ERR_SESSION_VALUE_INVALID'),
    )
    expect(texts()).toEqual(['compact', '2'])
  })
})
