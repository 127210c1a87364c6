import { createRequire } from 'node:module'
import * as esmMessages from '@langchain/core/messages'
import * as esmRunnables from '@langchain/core/runnables'
import { SessionRegistry } from 'session-registry'
import { messageCodec, messageHistories, withSessionTurns } from 'session-registry/langchain'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { readAll } from '../support/read-all.ts'
import { failureOf } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { transcript } from '../support/transcript.ts'

const require = createRequire(import.meta.url)
const cjsMessages: typeof esmMessages = require('@langchain/core/messages')
const cjsRunnables: typeof esmRunnables = require('@langchain/core/runnables')

type BaseMessage = esmMessages.BaseMessage

/** A chat of the other build of LangChain than the one that this library has loaded here. */
function setUp() {
  const { AIMessage, HumanMessage } = cjsMessages
  const registry = new SessionRegistry<BaseMessage[]>({ create: () => [] })
  const histories = messageHistories(registry)
  const open = deferred()
  const runnable = cjsRunnables.RunnableLambda.from<BaseMessage[], BaseMessage>(async (messages) => {
    await open.promise
    return new AIMessage(`I see ${messages.length}`)
  })
  const chat = (getMessageHistory = histories) =>
    withSessionTurns(registry, new cjsRunnables.RunnableWithMessageHistory({ runnable, getMessageHistory }))
  const asks = (text: string) => [new HumanMessage(text)]
  return { registry, histories, open, chat, asks }
}

describe('two builds of LangChain in one process', () => {
  it('are different modules', () => {
    expect(cjsMessages.HumanMessage).not.toBe(esmMessages.HumanMessage)
    expect(cjsRunnables.RunnableWithMessageHistory).not.toBe(esmRunnables.RunnableWithMessageHistory)
  })

  it('keep a chat of the other build in turns, under any session key', async () => {
    const { registry, open, chat, asks } = setUp()
    const calls = [
      chat().invoke(asks('one'), { configurable: { sessionId: 'ada' } }),
      chat().invoke(asks('two'), { configurable: { thread_id: 'ada' } }),
      chat()
        .stream(asks('three'), { configurable: { sessionId: 0 } })
        .then(readAll),
    ]
    await settle()
    open.resolve()
    await Promise.all(calls)

    expect(transcript(registry.get('ada'))).toEqual(['human:one', 'ai:I see 1', 'human:two', 'ai:I see 3'])
    expect(transcript(registry.get('0'))).toEqual(['human:three', 'ai:I see 1'])
  })

  it('reject a call whose messages could not be stored, which the stock class only prints', async () => {
    const { open, chat, histories, asks } = setUp()
    open.resolve()
    const down = new Error('down')
    const printed = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => printed.mockRestore())
    const failing = (id: string | number | bigint) =>
      Object.assign(histories(id), {
        addMessages: async () => {
          throw down
        },
      })

    expect(
      await failureOf(() => chat(failing).invoke(asks('one'), { configurable: { sessionId: 'ada' } })),
    ).toBe(down)
  })

  it('keep the class of a message’s own build in one process, and of this build as text', async () => {
    const { histories, asks } = setUp()
    await histories('ada').addMessages([...asks('cjs'), new esmMessages.HumanMessage('esm')])
    const messages = await histories('ada').getMessages()
    expect(messages.map((message) => message.constructor)).toEqual([
      cjsMessages.HumanMessage,
      esmMessages.HumanMessage,
    ])

    const back = messageCodec.decode(messageCodec.encode(messages))
    expect(back.map((message) => message.constructor)).toEqual([
      esmMessages.HumanMessage,
      esmMessages.HumanMessage,
    ])
  })

  it('recognise a class that extends the stock one', async () => {
    const { registry, histories, asks } = setUp()
    class Own extends cjsRunnables.RunnableWithMessageHistory<BaseMessage[], BaseMessage> {}
    const runnable = cjsRunnables.RunnableLambda.from<BaseMessage[], BaseMessage>(
      () => new cjsMessages.AIMessage('hi'),
    )
    const chat = withSessionTurns(registry, new Own({ runnable, config: {}, getMessageHistory: histories }))
    await chat.invoke(asks('one'), { configurable: { thread_id: 'ada' } })

    expect(transcript(registry.get('ada'))).toEqual(['human:one', 'ai:hi'])
  })
})
