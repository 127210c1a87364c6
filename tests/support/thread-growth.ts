import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'

/**
 * Run in a process of its own with `--expose-gc`: prints the memory of a thread of 100 questions and of 200.
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

async function held(): Promise<number> {
  // Several times, with pauses: code that is no longer used goes too, and would count as memory of a thread.
  for (let round = 0; round < 8; round += 1) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

async function talk(id: string, questions: number): Promise<void> {
  for (let count = 0; count < questions; count += 1) {
    question += 1
    const input = { messages: [new HumanMessage(words(question + 10_000))] }
    await graph.invoke(input, { configurable: { thread_id: id } })
  }
}

/** Returns the memory of a thread: the least of some readings, since all else that is freed only adds to it. */
async function memoryOf(questions: number): Promise<number> {
  const readings: number[] = []
  for (const id of ['ada', 'bob', 'eve']) {
    await talk(id, questions)
    const full = await held()
    threads.delete(id)
    readings.push(full - (await held()))
  }
  return Math.min(...readings)
}

await memoryOf(50)
console.log(
  JSON.stringify({ said: 100 * 2 * half, hundred: await memoryOf(100), twoHundred: await memoryOf(200) }),
)
