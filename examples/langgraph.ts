import { AIMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { tool } from '@langchain/core/tools'
import { createAgent } from 'langchain'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'
import { z } from 'zod'

const weather = tool(({ city }) => `sunny in ${city}`, {
  name: 'weather',
  schema: z.object({ city: z.string() }),
})
const model = fakeModel() // or a real one
  .respondWithTools([{ name: 'weather', args: { city: 'Oslo' } }])
  .respond(new AIMessage('It is sunny.'))
  .respond(
    (messages) => new AIMessage(`You asked ${messages.filter((one) => one.type === 'human').length} times.`),
  )

const threads = new SessionRegistry<Thread>({ create: newThread })
const agent = createAgent({ model, tools: [weather], checkpointer: new SessionSaver({ source: threads }) })

function ask(id: string, content: string): Promise<string> {
  // One turn per question: the thread cannot expire in the middle, and a second question waits.
  return threads.run(id, async (_session, signal) => {
    const messages = [{ role: 'user', content }]
    const state = await agent.invoke({ messages }, { configurable: { thread_id: id }, signal })
    return state.messages.at(-1)?.text ?? ''
  })
}

console.log(
  await Promise.all([ask('ada', 'How is the weather in Oslo?'), ask('ada', 'How often did I ask?')]),
)
