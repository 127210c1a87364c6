import type { HumanMessage } from '@langchain/core/messages'
import { RunnableLambda } from '@langchain/core/runnables'
import { SessionRegistry } from 'session-registry'
import { type AgentTranscript, agentSessionStore } from 'session-registry/claude-agent'
import { sessionTurns } from 'session-registry/grammy'
import { withSessionTurns } from 'session-registry/langchain'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'
import { stateHandles } from 'session-registry/mcp'
import { type Conversation, conversationStore } from 'session-registry/slack'
import { describe, expect, it } from 'vitest'
import { checkpointOf } from '../support/checkpoints.ts'
import { pollute } from '../support/pollute.ts'
import { readAll } from '../support/read-all.ts'
import { failureOf, sessionError } from '../support/session-error.ts'

// With an id from there, each visitor would be in one and the same session.
describe('the id of a call: a polluted prototype', () => {
  it('provides none to a runnable of LangChain', async () => {
    const sessions = new SessionRegistry<HumanMessage[]>({ create: () => [] })
    const runnable = withSessionTurns(
      sessions,
      RunnableLambda.from(() => 'done'),
    )
    pollute({ sessionId: 'the same for all', thread_id: 'the same for all' })
    await runnable.invoke('', { configurable: { thread_id: 'ada' } })

    expect([...sessions.keys()]).toEqual(['ada'])
    expect(await failureOf(() => runnable.invoke('', { configurable: {} }))).toEqual(
      sessionError('ERR_SESSION_ID_INVALID'),
    )
  })

  it('provides none to an update of a chat bot, and no prefix', async () => {
    const sessions = new SessionRegistry<object>()
    pollute({ getSessionKey: () => 'the same for all', prefix: 'the same for all' })
    await sessionTurns(sessions)({ chatId: 5 }, async () => {})

    expect([...sessions.keys()]).toEqual(['5'])
  })

  it('provides no expiry to a conversation of Slack', async () => {
    const store = conversationStore(new SessionRegistry<Conversation<string>>())
    await store.set('C1', 'mine')
    pollute({ expiresAt: 1 })

    expect(await store.get('C1')).toBe('mine')
  })

  it('provides none to a saver of LangGraph, and neither a checkpoint nor a limit', async () => {
    const threads = new SessionRegistry<Thread>({ create: newThread })
    const saver = new SessionSaver({ source: threads })
    const ada = { configurable: { thread_id: 'ada' } }
    const metadata = { source: 'loop', step: 0, parents: {} } as const
    for (const id of ['1', '2']) await saver.put(ada, checkpointOf(id, {}), metadata, {})
    pollute({ thread_id: 'ada', checkpoint_id: '1', thread_ts: '1', limit: 1, pausedTimeoutMs: 5 })

    expect(await saver.getTuple({ configurable: {} })).toBeUndefined()
    expect((await saver.getTuple(ada))?.checkpoint.id).toBe('2')
    expect(await readAll(saver.list(ada, {}))).toHaveLength(2)
    expect(() => new SessionSaver({ source: threads })).not.toThrow()
  })

  it('provides none to a tool of MCP, and no owner', async () => {
    const baskets = new SessionRegistry<string[]>({ create: () => [] })
    const { create, use } = stateHandles(baskets, { prefix: 'basket_', argument: 'basket_id' })
    const { structuredContent: { basket_id } = {} } = await create()({})
    pollute({ basket_id, owner: () => 'eve' })
    const add = use(() => ({ content: [] }))

    expect(await add({} as never, {})).toMatchObject({ isError: true })
    expect(await add({ basket_id } as never, {})).toEqual({ content: [] })
    const other = stateHandles(baskets, { prefix: 'basket_', argument: 'basket_id' })
    expect(await other.use(() => ({ content: [] }))({ basket_id } as never, {})).toEqual({ content: [] })
  })

  it('provides none to a store of the Claude Agent SDK, and no subpath', async () => {
    const store = agentSessionStore(new SessionRegistry<AgentTranscript[]>())
    const key = { projectKey: '-app', sessionId: 's1' }
    pollute({
      projectKey: 'the same for all',
      sessionId: 'the same for all',
      subpath: 'the same for all',
      uuid: 'the same',
    })
    await store.append(key, [{ type: 'user' }, { type: 'assistant' }])

    expect(await store.listSubkeys(key)).toEqual([])
    expect(await store.load(key)).toHaveLength(2)
    for (const part of [{ projectKey: '-app' }, { sessionId: 's1' }]) {
      expect(await failureOf(() => store.load(part as never))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    }
  })
})
