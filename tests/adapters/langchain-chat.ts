import type { BaseMessage } from '@langchain/core/messages'
import { ChatPromptTemplate, MessagesPlaceholder } from '@langchain/core/prompts'
import { RunnableWithMessageHistory } from '@langchain/core/runnables'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { messageHistories, withSessionTurns } from 'session-registry/langchain'
import { ManualClock } from 'session-registry/testing'
import { GatedModel } from '../support/gated-model.ts'

/**
 * Two chats with a model that answers when it is told to, each call a turn: with the history as input, and in
 * a prompt.
 */
export function setUp(options: SessionRegistryOptions<BaseMessage[]> = {}) {
  const clock = new ManualClock()
  const registry = new SessionRegistry<BaseMessage[]>({
    clock,
    timeoutMs: 1_000,
    create: () => [],
    ...options,
  })
  const model = new GatedModel()
  const getMessageHistory = messageHistories(registry)
  return {
    clock,
    registry,
    model,
    getMessageHistory,
    /** Input and history are one list of messages. */
    chat: withSessionTurns(
      registry,
      new RunnableWithMessageHistory({ runnable: model.runnable, getMessageHistory }),
    ),
    /** The history has a place of its own in a prompt. */
    prompted: withSessionTurns(
      registry,
      new RunnableWithMessageHistory({
        runnable: prompt.pipe((value) => value.toChatMessages()).pipe(model.runnable),
        getMessageHistory,
        inputMessagesKey: 'question',
        historyMessagesKey: 'history',
      }),
    ),
  }
}

const prompt = ChatPromptTemplate.fromMessages([
  new MessagesPlaceholder('history'),
  ['human', '{question}'],
] as const)
