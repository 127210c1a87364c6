import { AIMessage, type AIMessageChunk, type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { SessionRegistry } from 'session-registry'

const model = new FakeListChatModel({ responses: ['Hello Ada.', 'Goodbye.'] }) // or a real one
const sessions = new SessionRegistry<BaseMessage[]>({ create: () => [] })

function chat(id: string, question: string) {
  return sessions.stream(id, async function* ({ value }, signal) {
    value.push(new HumanMessage(question))
    let answer: AIMessageChunk | undefined
    try {
      for await (const chunk of await model.stream(value, { signal })) {
        answer = answer?.concat(chunk) ?? chunk
        yield chunk.text
      }
    } finally {
      if (answer !== undefined) value.push(new AIMessage(answer.text)) // only a part if Ada leaves
    }
  })
}

for await (const _text of chat('ada', 'I am Ada.')) break // Ada leaves at the first letter
for await (const text of chat('ada', 'Bye!')) process.stdout.write(text)
const said = sessions.get('ada')?.map(({ text }) => text)
console.log(`\n${said?.join(' | ')}`)
