import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'
import { Measured, retainedSizes } from './retained-size.ts'

/**
 * Run in a process of its own: prints the memory of a thread of 100 questions and of 200.
 */
const threads = new SessionRegistry<Thread>({ create: newThread })
const half = 350
let question = 0

const words = (n: number) => `${n} `.repeat(half).slice(0, half)
const graph = new StateGraph(MessagesAnnotation)
  .addNode('model', () => ({ messages: [new AIMessage(words(question))] }))
  .addEdge(START, 'model')
  .addEdge('model', END)
  .compile({ checkpointer: new SessionSaver({ source: threads }) })

async function talk(id: string, questions: number): Promise<void> {
  for (let count = 0; count < questions; count += 1) {
    question += 1
    const input = { messages: [new HumanMessage(words(question + 10_000))] }
    await graph.invoke(input, { configurable: { thread_id: id } })
  }
}

await talk('warm-up', 50)
const measured: Measured[] = []
for (const questions of [100, 200]) {
  const id = `${questions} questions`
  await talk(id, questions)
  measured.push(new Measured(threads.get(id)))
}
const [hundred, twoHundred] = await retainedSizes()
console.log(JSON.stringify({ said: 100 * 2 * half, count: measured.length, hundred, twoHundred }))
