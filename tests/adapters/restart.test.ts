import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { Annotation, Command, END, interrupt, START, StateGraph } from '@langchain/langgraph'
import { type AgentInputItem, run, setTracingDisabled } from '@openai/agents'
import type { UIMessage } from 'ai'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { chatStore } from 'session-registry/ai-sdk'
import { sessionStorage } from 'session-registry/grammy'
import { messageCodec, messageHistories, withSessionTurns } from 'session-registry/langchain'
import { newThread, SessionSaver, threadCodec } from 'session-registry/langgraph'
import { stateHandles } from 'session-registry/mcp'
import { agentSession } from 'session-registry/openai-agents'
import { type Conversation, conversationStore } from 'session-registry/slack'
import { fileStore } from 'session-registry/stores/file'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { failureOf, sessionError } from '../support/session-error.ts'
import { type Counter, messageIn } from '../support/telegram-bots.ts'
import { testFolder } from '../support/test-folder.ts'
import { echoAgent, lines } from './echo-agent.ts'
import { addOne, turningBot } from './grammy-bot.ts'

setTracingDisabled(true)

const week = 7 * 24 * 60 * 60 * 1_000

/**
 * Starts registries on one folder. Each start is a process that finds what the ones before have stored; they
 * were not closed, as after a crash.
 */
function restarts<T>(options: SessionRegistryOptions<T>): () => SessionRegistry<T> {
  const folder = testFolder()
  return () =>
    new SessionRegistry<T>({
      clock: new ManualClock(),
      timeoutMs: 60_000,
      store: fileStore(folder),
      ...options,
    })
}

describe('LangChain histories in a store', () => {
  const start = () => restarts<BaseMessage[]>({ create: () => [], codec: messageCodec })

  it('continue after a restart: the model is shown what was said before', async () => {
    const startRegistry = start()
    const seen: string[][] = []
    const chat = () => {
      const sessions = startRegistry()
      const model = RunnableLambda.from((messages: BaseMessage[]) => {
        seen.push(messages.map(({ type, text }) => `${type}: ${text}`))
        return new AIMessage('I see.')
      })
      const getMessageHistory = messageHistories(sessions)
      return withSessionTurns(
        sessions,
        new RunnableWithMessageHistory({ runnable: model, getMessageHistory }),
      )
    }
    const ada = { configurable: { sessionId: 'ada' } }
    await chat().invoke([new HumanMessage('I am Ada.')], ada)
    await chat().invoke([new HumanMessage('Who am I?')], ada)

    expect(seen).toEqual([['human: I am Ada.'], ['human: I am Ada.', 'ai: I see.', 'human: Who am I?']])
  })

  it('keep classes, bytes and dates of messages that were added outside of a turn', async () => {
    const startRegistry = start()
    const artifact = { at: new Date(0), bytes: new Uint8Array([1, 2]) }
    const message = new ToolMessage({ content: 'sunny', tool_call_id: 'c1', artifact })
    await messageHistories(startRegistry())('ada').addMessages([new HumanMessage('Oslo?'), message])
    const [question, result] = await messageHistories(startRegistry())('ada').getMessages()

    expect(question).toBeInstanceOf(HumanMessage)
    expect(result).toBeInstanceOf(ToolMessage)
    expect((result as ToolMessage).artifact).toEqual(artifact)
  })

  it('without the codec: reject instead of returning plain objects, and add nothing to them', async () => {
    const startRegistry = restarts<BaseMessage[]>({ create: () => [] })
    await messageHistories(startRegistry())('ada').addMessages([new HumanMessage('hello')])
    const sessions = startRegistry()
    const history = messageHistories(sessions)('ada')
    const read = await failureOf(() => history.getMessages())
    const added = await failureOf(() => history.addMessages([new HumanMessage('again')]))

    for (const error of [read, added]) {
      expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
      expect(String(error)).toContain('codec: messageCodec')
    }
    expect(sessions.get('ada')).toHaveLength(1)
  })
})

describe('LangGraph threads in a store', () => {
  const State = Annotation.Root({
    said: Annotation<string[]>({ reducer: (all, more) => [...all, ...more], default: () => [] }),
  })

  function graphOn(threads: ConstructorParameters<typeof SessionSaver>[0]['source']) {
    return new StateGraph(State)
      .addNode('answer', ({ said }) => ({ said: [`answer ${(said.length + 1) / 2}`] }))
      .addNode('ask', () => ({ said: [interrupt<string, string>('may I?')] }))
      .addConditionalEdges(START, ({ said }) => (said.at(-1) === 'buy it' ? 'ask' : 'answer'))
      .addEdge('answer', END)
      .addEdge('ask', END)
      .compile({ checkpointer: new SessionSaver({ source: threads }) })
  }

  const start = () => restarts({ create: newThread, codec: threadCodec })
  const ada = { configurable: { thread_id: 'ada' } }

  it('continue after a restart, with all checkpoints', async () => {
    const startRegistry = start()
    for (const question of ['one', 'two', 'three']) {
      const threads = startRegistry()
      await threads.run('ada', () => graphOn(threads).invoke({ said: [question] }, ada))
    }
    const graph = graphOn(startRegistry())
    const steps: number[] = []
    for await (const { metadata } of graph.getStateHistory(ada)) steps.push(metadata?.step ?? Number.NaN)

    expect((await graph.getState(ada)).values.said).toEqual([
      'one',
      'answer 1',
      'two',
      'answer 2',
      'three',
      'answer 3',
    ])
    expect(steps).toEqual([7, 6, 5, 4, 3, 2, 1, 0, -1])
  })

  it('outside of a run: each write is stored by itself', async () => {
    const startRegistry = start()
    await graphOn(startRegistry()).invoke({ said: ['one'] }, ada)

    expect((await graphOn(startRegistry()).getState(ada)).values.said).toEqual(['one', 'answer 1'])
  })

  it('resume after a restart, and wait for the answer until their own timeout', async () => {
    const startRegistry = start()
    await graphOn(startRegistry()).invoke({ said: ['buy it'] }, ada)
    const threads = startRegistry()
    const graph = graphOn(threads)
    expect((await graph.getState(ada)).tasks[0]?.interrupts).toHaveLength(1)
    expect(threads.peek('ada')?.timeoutMs).toBe(week)

    const resumed = await graph.invoke(new Command({ resume: 'yes' }), ada)
    expect(resumed.said).toEqual(['buy it', 'yes'])
    expect(threads.peek('ada')?.timeoutMs).toBe(60_000)
    const next = startRegistry()
    expect((await graphOn(next).getState(ada)).values.said).toEqual(['buy it', 'yes'])
    expect(next.peek('ada')?.timeoutMs).toBe(60_000)
  })
})

describe('OpenAI Agents sessions in a store', () => {
  it('continue after a restart: the model is shown what was said before', async () => {
    const startRegistry = restarts<AgentInputItem[]>({ create: () => [] })
    const ask = async (question: string) => {
      const sessions = startRegistry()
      const session = agentSession(sessions, 'ada')
      return sessions.run('ada', () => run(echoAgent(), question, { session }))
    }
    const answers = [await ask('one'), await ask('two')].map(({ finalOutput }) => finalOutput)
    const items = await agentSession(startRegistry(), 'ada').getItems()

    expect(answers).toEqual(['one? I see 1', 'two? I see 3'])
    expect(lines(items)).toEqual([
      'user: one',
      'assistant: one? I see 1',
      'user: two',
      'assistant: two? I see 3',
    ])
  })
})

describe('AI SDK chats in a store', () => {
  const message = (id: string, role: UIMessage['role'], part: UIMessage['parts'][number]): UIMessage => ({
    id,
    role,
    parts: [part],
  })
  const question = message('1', 'user', { type: 'text', text: 'hello' })

  it('are there after a restart, as they were saved', async () => {
    const startRegistry = restarts<UIMessage[]>({ create: () => [] })
    const answer = message('2', 'assistant', { type: 'text', text: 'Hello Ada.', state: 'done' })
    await chatStore(startRegistry()).saveChat({ chatId: 'ada', messages: [question, answer] })

    expect(await chatStore(startRegistry()).loadChat('ada')).toEqual([question, answer])
  })

  it('wait for an approval after a restart too', async () => {
    const startRegistry = restarts<UIMessage[]>({ create: () => [] })
    const pending = message('2', 'assistant', {
      type: 'dynamic-tool',
      toolName: 'buy',
      toolCallId: 'c1',
      state: 'approval-requested',
      input: {},
      approval: { id: 'a1' },
    })
    await chatStore(startRegistry()).saveChat({ chatId: 'ada', messages: [question, pending] })
    const sessions = startRegistry()

    expect(await chatStore(sessions).loadChat('ada')).toEqual([question, pending])
    expect(sessions.peek('ada')?.timeoutMs).toBe(week)
  })
})

describe('chat bots in a store', () => {
  it('continue after a restart; a session that was emptied is empty', async () => {
    const startRegistry = restarts<Counter>({})
    const bot = () => turningBot(startRegistry(), addOne)
    await bot().handleUpdate(messageIn(5))
    await bot().handleUpdate(messageIn(5))
    expect(await sessionStorage(startRegistry()).read(5)).toEqual({ count: 2 })

    await turningBot(startRegistry(), (ctx) => {
      ctx.session = null as never
    }).handleUpdate(messageIn(5))
    const sessions = startRegistry()
    expect(await sessionStorage(sessions).read(5)).toBeUndefined()
    expect(sessions.has('5')).toBe(true)
    await bot().handleUpdate(messageIn(5))
    expect(await sessionStorage(startRegistry()).read(5)).toEqual({ count: 1 })
  })

  it('of Slack: keep the state and its expiry', async () => {
    const startRegistry = restarts<Conversation<Counter>>({})
    const store = () => conversationStore(startRegistry())
    await store().set('C1', { count: 1 }, Number.POSITIVE_INFINITY)
    await store().set('C2', { count: 2 }, Date.now() - 1)

    expect(await store().get('C1')).toEqual({ count: 1 })
    expect(await failureOf(() => store().get('C2'))).toMatchObject({ message: 'Conversation expired' })
    expect(await failureOf(() => store().get('C3'))).toMatchObject({ message: 'Conversation not found' })
  })
})

describe('MCP handles in a store', () => {
  const ada = { authInfo: { token: 'ada', clientId: 'app', scopes: [] } }
  const eve = { authInfo: { token: 'eve', clientId: 'app', scopes: [] } }

  it('are used and dropped after a restart, by their owner alone', async () => {
    const startRegistry = restarts<string[]>({ create: () => [], tombstoneMs: 60_000 })
    const start = () => {
      const handles = stateHandles(startRegistry(), {
        prefix: 'basket_',
        argument: 'basket_id',
        owner: ({ authInfo }) => authInfo?.token,
      })
      const add = handles.use(({ value }, { item }: { basket_id: string; item: string }) => {
        value.push(item)
        return value.join(' ')
      })
      return { ...handles, add }
    }
    const { structuredContent: { basket_id: created } = {} } = await start().create()(ada)
    const basket_id = created as string
    expect(await start().add({ basket_id, item: 'tea' }, ada)).toBe('tea')
    expect(await start().add({ basket_id, item: 'gin' }, eve)).toMatchObject({ isError: true })
    expect(await start().add({ basket_id, item: 'milk' }, ada)).toBe('tea milk')

    expect(await start().drop()({ basket_id }, eve)).toMatchObject({ isError: true })
    const last = start()
    expect((await last.drop()({ basket_id }, ada)).isError).toBeUndefined()
    const gone = await last.add({ basket_id, item: 'rum' }, ada)
    expect(gone).toMatchObject({ content: [{ text: expect.stringContaining('was dropped at') }] })
    expect(await start().add({ basket_id, item: 'rum' }, ada)).toMatchObject({ isError: true })
  })
})
