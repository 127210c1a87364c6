import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { tool } from '@langchain/core/tools'
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { createAgent } from 'langchain'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread, threadCodec } from 'session-registry/langgraph'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'

const ada = { configurable: { thread_id: 'ada' } }
const words = (n: number) => `${n} `.repeat(350).slice(0, 350)

/** A graph with one model, and what its saver's serializer has written and read. */
function setUp() {
  const threads = new SessionRegistry<Thread>({ create: newThread })
  const saver = new SessionSaver({ source: threads })
  const written: number[] = []
  const serde = Object.getPrototypeOf(saver.serde)
  const dumpsTyped = serde.dumpsTyped
  const dumps = vi.spyOn(serde, 'dumpsTyped').mockImplementation(async function (this: unknown, value) {
    const typed = await dumpsTyped.call(this, value)
    written.push(typed[1].byteLength)
    return typed
  })
  const loads = vi.spyOn(serde, 'loadsTyped')
  onTestFinished(() => {
    dumps.mockRestore()
    loads.mockRestore()
  })
  let question = 0
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('model', () => ({ messages: [new AIMessage(words(question))] }))
    .addEdge(START, 'model')
    .addEdge('model', END)
    .compile({ checkpointer: saver })
  /** Asks a question. Returns the calls of the serializer that it took, and the bytes that it has written. */
  const ask = async () => {
    question += 1
    written.length = 0
    loads.mockClear()
    await graph.invoke({ messages: [new HumanMessage(words(question + 10_000))] }, ada)
    return {
      calls: written.length,
      bytes: written.reduce((sum, one) => sum + one, 0),
      loads: loads.mock.calls.length,
    }
  }
  return { graph, threads, ask }
}

describe('a step of a thread', () => {
  it('is serialised as that of a short thread: only what is new', async () => {
    const { ask } = setUp()
    const work: Awaited<ReturnType<typeof ask>>[] = []
    for (let question = 0; question < 100; question += 1) work.push(await ask())
    const [tenth, last] = [work[9], work.at(-1)]

    expect(last?.calls).toBe(tenth?.calls)
    // The numbers of versions have a digit more.
    expect(last?.bytes).toBeLessThan(1.02 * (tenth?.bytes ?? 0))
    // Two messages of 350 bytes in three forms each, and the heads of three checkpoints.
    expect(last?.bytes).toBeLessThan(6_000)
    expect(last?.loads).toBe(tenth?.loads)
  }, 60_000)

  it('is serialised so on a copy of the thread too, once its messages are read', async () => {
    const { threads, ask } = setUp()
    for (let question = 0; question < 20; question += 1) await ask()
    const { calls, bytes } = await ask()
    threads.set('ada', threadCodec.decode(threadCodec.encode(threads.get('ada') as Thread)))
    const after = await ask()

    expect(after.calls).toBe(calls)
    expect(after.bytes).toBeLessThan(1.02 * bytes)
  })

  it('adds to the text of the thread at most five times what was said', async () => {
    const { threads, ask } = setUp()
    const lengths: number[] = []
    for (let question = 1; question <= 100; question += 1) {
      await ask()
      lengths.push(threadCodec.encode(threads.get('ada') as Thread).length)
    }
    expect(lengths.at(-1)).toBeLessThan(5 * 100 * 700)
    const added = lengths.map((length, index) => length - (lengths[index - 1] ?? 0))
    // What all questions share is in the first ones.
    expect(Math.max(...added.slice(3))).toBeLessThan(5 * 700)
  }, 60_000)

  it('of an agent with a tool adds the same to the text of a long thread and of a short one', async () => {
    const threads = new SessionRegistry<Thread>({ create: newThread })
    const weather = tool(({ city }: { city: string }) => `${city}: ${words(1)}`, {
      name: 'weather',
      schema: z.object({ city: z.string() }),
    })
    const model = fakeModel()
    for (let question = 0; question < 30; question += 1) {
      const tool_calls = [{ name: 'weather', args: { city: `${question}` }, id: `call ${question}` }]
      model.respond(new AIMessage({ content: '', tool_calls })).respond(new AIMessage(words(question)))
    }
    const agent = createAgent({
      model,
      tools: [weather],
      checkpointer: new SessionSaver({ source: threads }),
    })
    const lengths: number[] = []
    for (let question = 0; question < 30; question += 1) {
      await agent.invoke({ messages: [{ role: 'user', content: words(question + 10_000) }] }, ada)
      lengths.push(threadCodec.encode(threads.get('ada') as Thread).length)
    }
    const [early, late] = [(lengths[9] ?? 0) - (lengths[4] ?? 0), (lengths[29] ?? 0) - (lengths[24] ?? 0)]
    // A task contains all messages. Stored whole, it would name each of them.
    expect(late).toBeLessThan(1.1 * early)
  }, 60_000)
})
