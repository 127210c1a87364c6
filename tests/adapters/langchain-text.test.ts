import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { messageCodec, messageHistories, withSessionTurns } from 'session-registry/langchain'
import { expect, it } from 'vitest'
import { readAll } from '../support/read-all.ts'
import { TextSource } from '../support/text-source.ts'
import { transcript } from '../support/transcript.ts'

const ada = { configurable: { sessionId: 'ada' } }

it('a source whose values are copies: keeps the conversation as of the resolved turns', async () => {
  const source = new TextSource<BaseMessage[]>(messageCodec, () => [])
  const histories = messageHistories(source)
  const model = RunnableLambda.from<BaseMessage[], BaseMessage>(
    (messages) => new AIMessage(`${messages.length}`),
  )
  const chat = withSessionTurns(
    source,
    new RunnableWithMessageHistory({ runnable: model, getMessageHistory: histories }),
  )
  const question = (text: string) => [new HumanMessage(text)]
  await Promise.all([
    chat.invoke(question('x'), ada),
    chat.stream(question('y'), ada).then(readAll),
    histories('ada').addUserMessage('from outside'),
    chat.invoke(question('z'), ada),
  ])
  const messages = await histories('ada').getMessages()
  expect(transcript(messages)).toEqual([
    ...['human:x', 'ai:1', 'human:y', 'ai:3', 'human:from outside', 'human:z', 'ai:6'],
  ])
  expect(messages[1]).toBeInstanceOf(AIMessage)
  await histories('ada').clear()
  expect(await histories('ada').getMessages()).toEqual([])
})
