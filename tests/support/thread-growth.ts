import { HumanMessage } from '@langchain/core/messages'
import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'

/**
 * Run in a process of its own with `--expose-gc`: prints the memory of a thread of 100 questions and
 * of 200.
 */
const threads = new SessionRegistry<Thread>({ create: newThread })
const saver = new SessionSaver({ source: threads })
const size = 700

function held(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/**
 * Writes as a graph does, for each question: a checkpoint with the input, its writes, and a checkpoint with
 * all messages.
 */
async function talk(id: string, questions: number): Promise<void> {
  const messages: HumanMessage[] = []
  let config: object = { configurable: { thread_id: id } }
  for (let step = 0; step < questions; step += 1) {
    const question = new HumanMessage({ id: uuid6(0), content: `${step} `.repeat(size).slice(0, size) })
    const put = async (values: object) => {
      const versions = Object.fromEntries(Object.keys(values).map((name) => [name, step + 1]))
      const checkpoint = {
        ...emptyCheckpoint(),
        id: uuid6(step),
        channel_values: values,
        channel_versions: versions,
      }
      config = await saver.put(config, checkpoint as never, { source: 'loop', step, parents: {} }, versions)
    }
    await put({ __start__: { messages: [question] }, messages: [...messages] })
    await saver.putWrites(config, [['messages', [question]]], uuid6(0))
    messages.push(question)
    await put({ messages: [...messages] })
  }
}

async function memoryOf(questions: number): Promise<number> {
  await talk('ada', questions)
  const full = held()
  threads.delete('ada')
  return full - held()
}

await memoryOf(50)
console.log(
  JSON.stringify({ said: 100 * size, hundred: await memoryOf(100), twoHundred: await memoryOf(200) }),
)
