import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { Annotation, Command, interrupt, START, StateGraph } from '@langchain/langgraph'
import { deltaChannelHistoryTests, validate } from '@langchain/langgraph-checkpoint-validation'
import type { AgentInputItem } from '@openai/agents'
import type { UIMessage } from 'ai'
import { chatStore } from 'session-registry/ai-sdk'
import { messageCodec, messageHistories, withSessionTurns } from 'session-registry/langchain'
import { newThread, SessionSaver, type Thread, threadCodec } from 'session-registry/langgraph'
import { stateHandles, type ToolResult } from 'session-registry/mcp'
import { agentSession } from 'session-registry/openai-agents'
import { RedisSessionRegistry } from 'session-registry/redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectClient, type TestClient } from '../support/redis-clients.ts'
import { type RegistryOptions, testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../support/redis-suite.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { transcript } from '../support/transcript.ts'

// LangGraph's suite looks for the globals of its test runner; this file alone has them.
Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it })

const week = 7 * 24 * 60 * 60 * 1_000

describeOnRedis('an adapter on two processes that share one Redis', (redis) => {
  /**
   * Two registries of one prefix: the second knows what the first has stored, and nothing else of it.
   */
  async function pair<T>(
    options: Omit<RegistryOptions<T>, 'prefix'>,
  ): Promise<[RedisSessionRegistry<T>, RedisSessionRegistry<T>]> {
    const shared = { prefix: uniquePrefix(), shards: 2, ...options }
    return [await testRegistry(redis, shared), await testRegistry(redis, shared)]
  }

  it('LangChain: keeps a conversation with the classes of its messages', async () => {
    const sources = await pair<BaseMessage[]>({ create: () => [], codec: messageCodec })
    const model = RunnableLambda.from<BaseMessage[], BaseMessage>(
      (messages) => new AIMessage(`answer to ${messages.length}`),
    )
    const chats = sources.map((source) =>
      withSessionTurns(
        source,
        new RunnableWithMessageHistory({ runnable: model, getMessageHistory: messageHistories(source) }),
      ),
    )
    const ada = { configurable: { sessionId: 'ada' } }
    await Promise.all(chats.map((chat, index) => chat.invoke([new HumanMessage(`hello ${index}`)], ada)))
    for (const source of sources) {
      const messages = await messageHistories(source)('ada').getMessages()
      // Either may be first; neither overlaps, and the second has seen the first.
      expect(transcript(messages).map((line) => line.replace(/hello \d/, 'hello'))).toEqual([
        ...['human:hello', 'ai:answer to 1', 'human:hello', 'ai:answer to 3'],
      ])
      expect(messages[1]).toBeInstanceOf(AIMessage)
    }
  })

  it('LangChain: saves what the turn of a stream has stored that is left early', async () => {
    const [first, second] = await pair<BaseMessage[]>({ create: () => [], codec: messageCodec })
    const model = RunnableLambda.from<string, string>(async function* (question: string) {
      await messageHistories(first)('ada').addUserMessage(question)
      yield* ['an', 'answer']
    } as never)
    const stream = await withSessionTurns(first, model).stream('hello', {
      configurable: { sessionId: 'ada' },
    })
    expect((await stream.next()).value).toBe('an')
    await stream.return()

    expect(transcript((await second.get('ada')) ?? [])).toEqual(['human:hello'])
  })

  it('LangGraph: continues a paused thread in another process', async () => {
    const sources = await pair<Thread>({ create: newThread, codec: threadCodec })
    const State = Annotation.Root({ answer: Annotation<string> })
    const [first, second] = sources.map((source) =>
      new StateGraph(State)
        .addNode('ask', () => ({ answer: interrupt<string, string>('sure?') }))
        .addEdge(START, 'ask')
        .compile({ checkpointer: new SessionSaver({ source }) }),
    )
    const ada = { configurable: { thread_id: 'ada' } }
    await first?.invoke({ answer: '' }, ada)
    expect((await sources[1].peek('ada'))?.timeoutMs).toBe(week)

    expect(await second?.invoke(new Command({ resume: 'yes' }), ada)).toEqual({ answer: 'yes' })
    expect((await first?.getState(ada))?.values).toEqual({ answer: 'yes' })
    expect((await sources[0].peek('ada'))?.timeoutMs).toBe(1_200_000)
  })

  it('OpenAI agents: keeps the items', async () => {
    const [first, second] = await pair<AgentInputItem[]>({ create: () => [] })
    const message = (content: string): AgentInputItem => ({ role: 'user', content })
    await Promise.all([
      agentSession(first, 'ada').addItems([message('a1'), message('a2')]),
      agentSession(second, 'ada').addItems([message('b1'), message('b2')]),
    ])
    const items = await agentSession(first, 'ada').getItems()
    const texts = items.map((item) => ('content' in item ? item.content : undefined)).join(' ')

    expect(['a1 a2 b1 b2', 'b1 b2 a1 a2']).toContain(texts)
    expect(await agentSession(second, 'ada').popItem()).toEqual(items.at(-1))
    expect(await agentSession(first, 'ada').getItems()).toHaveLength(3)
  })

  it('OpenAI agents: waits for an approval in one process and continues in another', async () => {
    const [first, second] = await pair<AgentInputItem[]>({ create: () => [] })
    const call = { type: 'function_call', callId: 'c1', name: 'remove', arguments: '{}' } as const
    const result = {
      type: 'function_call_result',
      callId: 'c1',
      name: 'remove',
      status: 'completed',
      output: 'x',
    }
    await agentSession(first, 'ada').addItems([{ role: 'user', content: 'remove it' }, call])
    expect((await second.peek('ada'))?.timeoutMs).toBe(week)
    await agentSession(second, 'ada').addItems([result as AgentInputItem])
    expect((await first.peek('ada'))?.timeoutMs).toBe(1_200_000)

    await first.delete('ada')
    expect(await failureOf(() => agentSession(second, 'ada').addItems([result as AgentInputItem]))).toEqual(
      sessionError('ERR_SESSION_VALUE_INVALID'),
    )
    expect(await first.has('ada')).toBe(false)
  })

  it('AI SDK: keeps a chat with any tool result, and waits for an approval', async () => {
    const [first, second] = await pair<UIMessage[]>({ create: () => [] })
    const output = {
      price: { toJSON: () => '2.5' },
      at: new Date(0),
      count: 2n,
      save: () => {},
      share: Number.NaN,
    }
    const part = { type: 'tool-look', toolCallId: '1', state: 'output-available', input: {} } as const
    const messages: UIMessage[] = [{ id: '1', role: 'assistant', parts: [{ ...part, output }] }]
    await chatStore(first).saveChat({ chatId: 'ada', messages })
    expect((await chatStore(second).loadChat('ada'))[0]?.parts).toEqual([
      { ...part, output: { price: '2.5', at: '1970-01-01T00:00:00.000Z', count: '2', share: null } },
    ])

    const asks = { ...part, state: 'approval-requested', approval: { id: '1' } } as const
    await chatStore(first).saveChat({
      chatId: 'ada',
      messages: [{ id: '1', role: 'assistant', parts: [asks] }],
    })
    expect((await second.peek('ada'))?.timeoutMs).toBe(week)
    await chatStore(second).saveChat({ chatId: 'ada', messages })
    expect((await first.peek('ada'))?.timeoutMs).toBe(1_200_000)
  })

  it('MCP: a handle of one process is used, listed, dropped and missed in the other', async () => {
    const options = { create: () => [], tombstoneMs: 60_000, maxAgeMs: 3_600_000 }
    const tools = (await pair<string[]>(options)).map((source) =>
      stateHandles(source, {
        prefix: 'basket_',
        argument: 'basket_id',
        owner: ({ authInfo }) => authInfo?.token,
      }),
    )
    const [first, second] = tools as [(typeof tools)[0], (typeof tools)[0]]
    const ada = { authInfo: { token: 'ada', clientId: 'app', scopes: [] } }
    const eve = { authInfo: { token: 'eve', clientId: 'app', scopes: [] } }
    const textOf = (result: ToolResult) => result.content.map(({ text }) => text).join(' ')
    const [addHere, addThere] = tools.map(({ use }) =>
      use(({ value }, { item }: { basket_id: string; item: string }) => {
        value.push(item)
        return { content: [{ type: 'text' as const, text: value.join(' ') }] }
      }),
    ) as [ReturnType<typeof first.use>, ReturnType<typeof first.use>]
    const add = async (tool: typeof addHere, args: { basket_id: string; item: string }, caller: object) =>
      textOf((await tool(args, caller)) as ToolResult)

    expect(first.policy).toBe(
      'A `basket_id` expires when it has not been used for 20 minutes, and 1 hour after its creation at the latest.',
    )
    const { structuredContent: { basket_id: created } = {} } = await first.create()(ada)
    const basket_id = created as string
    const texts = await Promise.all([
      add(addHere, { basket_id, item: 'tea' }, ada),
      add(addThere, { basket_id, item: 'tea' }, ada),
    ])
    expect(texts.toSorted()).toEqual(['tea', 'tea tea'])
    expect(await add(addThere, { basket_id, item: 'gin' }, eve)).toBe('There is no such `basket_id`.')
    expect(await add(addThere, { basket_id: 'basket_\ud800', item: 'gin' }, ada)).toBe(
      'There is no such `basket_id`.',
    )
    expect((await second.list()(ada)).structuredContent).toMatchObject({ handles: [{ basket_id }] })
    expect((await second.list()(eve)).structuredContent).toEqual({ handles: [] })

    expect((await second.drop()({ basket_id }, eve)).isError).toBe(true)
    expect((await second.drop()({ basket_id }, ada)).isError).toBeUndefined()
    expect(await add(addHere, { basket_id, item: 'milk' }, ada)).toMatch(/^This `basket_id` was dropped at /)
    expect(await add(addHere, { basket_id, item: 'milk' }, eve)).toBe('There is no such `basket_id`.')
  })

  it('AI SDK: keeps the messages of a chat', async () => {
    const [first, second] = await pair<UIMessage[]>({ create: () => [] })
    const message: UIMessage = { id: '1', role: 'user', parts: [{ type: 'text', text: 'hello' }] }
    await chatStore(first).saveChat({ chatId: 'ada', messages: [message] })

    expect(await chatStore(second).loadChat('ada')).toEqual([message])
    expect(await chatStore(second).loadChat('bob')).toEqual([])
    expect(await second.has('bob')).toBe(false)
  })
})

describeOnRedis('a saver on Redis', (redis) => {
  let client: TestClient
  const registries: RedisSessionRegistry<Thread>[] = []
  beforeAll(async () => {
    client = await connectClient('redis', redis.url)
  })
  afterAll(async () => {
    for (const registry of registries) await registry.close({ deadlineMs: 0 })
    await client.close()
  })

  const suite = {
    checkpointerName: 'SessionSaver on Redis',
    createCheckpointer: () => {
      const source = new RedisSessionRegistry<Thread>({
        client: client.client,
        prefix: uniquePrefix(),
        shards: 2,
        create: newThread,
        codec: threadCodec,
      })
      registries.push(source)
      return new SessionSaver({ source })
    },
  }
  validate(suite)
  deltaChannelHistoryTests(suite)
})
