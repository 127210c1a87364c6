import { InMemoryChatMessageHistory } from '@langchain/core/chat_history'
import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { SessionRegistry } from 'session-registry'
import { messageHistories, withSessionTurns } from 'session-registry/langchain'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readAll } from '../support/read-all.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { transcript } from '../support/transcript.ts'
import { setUp } from './langchain-chat.ts'

const ada = { configurable: { sessionId: 'ada' } }

describe('a failure to store the messages', () => {
  it('rejects the call with that very error, which the stock class swallows', async () => {
    const frozen = () => Object.freeze([] as BaseMessage[]) as BaseMessage[]
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { registry, getMessageHistory } = setUp({ create: frozen })
    const runnable = RunnableLambda.from<BaseMessage[], BaseMessage>(() => new AIMessage('hi'))
    const stock = new RunnableWithMessageHistory({ runnable, getMessageHistory })
    const chat = withSessionTurns(registry, stock)

    expect((await stock.invoke([new HumanMessage('hello')], ada)).content).toBe('hi')
    expect(warn).toHaveBeenCalledOnce()
    expect(await failureOf(() => chat.invoke([new HumanMessage('hello')], ada))).toBeInstanceOf(TypeError)
    expect(
      await failureOf(async () => readAll(await chat.stream([new HumanMessage('hello')], ada))),
    ).toBeInstanceOf(TypeError)
    expect(registry.peek('ada')?.held).toBe(false)
  })

  it('rejects also for a history of another class, and for a nested one', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const failure = new Error('store down')
    class Broken extends InMemoryChatMessageHistory {
      override async addMessages(): Promise<void> {
        throw failure
      }
    }
    const runnable = RunnableLambda.from<BaseMessage[], BaseMessage>(() => new AIMessage('hi'))
    const { registry } = setUp()
    const other = new RunnableWithMessageHistory({ runnable, getMessageHistory: () => new Broken() })
    expect(await failureOf(() => withSessionTurns(registry, other).invoke([], ada))).toBe(failure)
    const stream = await withSessionTurns(registry, other).stream([], ada)
    expect(await failureOf(() => readAll(stream))).toBe(failure)

    const frozen = new SessionRegistry<BaseMessage[]>({ create: () => Object.freeze([]) as never })
    const inside = new RunnableWithMessageHistory({ runnable, getMessageHistory: messageHistories(frozen) })
    const chain = withSessionTurns(
      frozen,
      inside.pipe((message: BaseMessage) => message.content),
    )
    expect(await failureOf(() => chain.invoke([], ada))).toBeInstanceOf(TypeError)
  })

  it('does not reject if a history of another class has stored the messages', async () => {
    const { registry } = setUp()
    const history = new InMemoryChatMessageHistory()
    const runnable = RunnableLambda.from<BaseMessage[], BaseMessage>(() => new AIMessage('hi'))
    const other = new RunnableWithMessageHistory({ runnable, getMessageHistory: () => history })
    await withSessionTurns(registry, other).invoke([new HumanMessage('hello')], ada)
    expect(transcript(await history.getMessages())).toEqual(['human:hello', 'ai:hi'])
  })

  it('rejects if the session was deleted meanwhile', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { registry, getMessageHistory } = setUp()
    const runnable = RunnableLambda.from<BaseMessage[], BaseMessage>(() => {
      registry.delete('ada')
      return new AIMessage('hi')
    })
    const chat = withSessionTurns(registry, new RunnableWithMessageHistory({ runnable, getMessageHistory }))
    await failureOf(() => chat.invoke([new HumanMessage('hello')], ada))
    expect(registry.has('ada')).toBe(false)
  })

  it('rejects if the output is not a message, so that nothing is stored', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { registry, getMessageHistory } = setUp()
    const runnable = RunnableLambda.from<BaseMessage[], object>(() => ({ neither: 1, nor: 2 }))
    const chat = withSessionTurns(
      registry,
      new RunnableWithMessageHistory({ runnable, getMessageHistory } as never),
    )
    const expected = sessionError('ERR_SESSION_VALUE_INVALID')
    expect(await failureOf(() => chat.invoke([new HumanMessage('hello')], ada))).toEqual(expected)
    expect(registry.get('ada')).toEqual([])
  })
})

describe('a batch', () => {
  it('is one turn per input, in order, on one session or on one each', async () => {
    const { registry, getMessageHistory } = setUp()
    const echo = RunnableLambda.from<BaseMessage[], BaseMessage>(
      (messages) => new AIMessage(`${messages.length}`),
    )
    const chat = withSessionTurns(
      registry,
      new RunnableWithMessageHistory({ runnable: echo, getMessageHistory }),
    )
    const inputs = ['x', 'y'].map((text) => [new HumanMessage(text)])
    await chat.batch(inputs, ada)
    expect(transcript(registry.get('ada'))).toEqual(['human:x', 'ai:1', 'human:y', 'ai:3'])
    expect(registry.stats().turns).toBeGreaterThanOrEqual(2)

    await chat.batch(
      inputs,
      ['bob', 'eve'].map((sessionId) => ({ configurable: { sessionId } })),
    )
    expect(transcript(registry.get('bob'))).toEqual(['human:x', 'ai:1'])
    expect(transcript(registry.get('eve'))).toEqual(['human:y', 'ai:1'])
  })

  it('returns the error of one input beside the results of the others', async () => {
    const { registry } = setUp()
    const picky = RunnableLambda.from<string, string>((input) => {
      if (input === 'bad') throw new Error('no')
      return input
    })
    const results = await withSessionTurns(registry, picky).batch(['good', 'bad', 'fine'], ada, {
      returnExceptions: true,
    })
    expect(results.map((result) => (result instanceof Error ? result.message : result))).toEqual([
      'good',
      'no',
      'fine',
    ])
  })
})
