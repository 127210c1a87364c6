import { type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { RunnableWithMessageHistory } from '@langchain/core/runnables'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { SessionRegistry } from 'session-registry'
import { messageHistories, withSessionTurns } from 'session-registry/langchain'

const model = new FakeListChatModel({ responses: ['Hello Ada.', 'You are Ada.', 'Goodbye.'] }) // or a real one

const sessions = new SessionRegistry<BaseMessage[]>({ create: () => [] })
const chat = withSessionTurns(
  sessions,
  new RunnableWithMessageHistory({ runnable: model, getMessageHistory: messageHistories(sessions) }),
)

// Two messages at once: the second call waits for the first, and sees its answer.
const ada = { configurable: { sessionId: 'ada' } }
const questions = ['I am Ada.', 'Who am I?'].map((text) => [new HumanMessage(text)])
const answers = await Promise.all(questions.map((question) => chat.invoke(question, ada)))
console.log(answers.map(({ text }) => text))

// The session is in use until the stream has been read to its end or left.
for await (const chunk of await chat.stream([new HumanMessage('Bye!')], ada)) {
  process.stdout.write(chunk.text)
}
console.log(`\n${sessions.get('ada')?.length} messages`)
