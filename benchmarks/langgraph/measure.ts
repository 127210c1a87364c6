import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { END, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint'

// The program that main.ts runs in a process for each reading: `measure.js <contender> <questions>` prints
// the figures of a thread of so many questions, as JSON.

export interface Figures {
  /** Bytes of what was said, of what is stored of it, and of the memory that it takes. */
  readonly said: number
  readonly stored: number
  readonly memory: number
  /** Microseconds of CPU time of an `invoke` of the graph. */
  readonly invoke: number
  /** Microseconds of one call each, and how many calls one `invoke` makes. */
  readonly calls: Readonly<Record<Method, { readonly us: number; readonly perInvoke: number }>>
}

const methods = ['getTuple', 'put', 'putWrites'] as const
export type Method = (typeof methods)[number]

/** A checkpoint saver, and what is known of its threads. */
interface Contender {
  readonly saver: BaseCheckpointSaver
  storedBytes(id: string): number
  end(id: string): Promise<unknown>
}

async function openSessions(build: string, adapter: string, keepCheckpoints: number): Promise<Contender> {
  const { SessionRegistry } = (await import(build)) as typeof import('session-registry')
  const { newThread, SessionSaver, threadCodec } = (await import(
    adapter
  )) as typeof import('session-registry/langgraph')
  const source = new SessionRegistry({ create: newThread })
  return {
    saver: new SessionSaver({ source, keepCheckpoints }),
    storedBytes: (id) => Buffer.byteLength(threadCodec.encode(source.getOrCreate(id))),
    end: async (id) => source.delete(id),
  }
}

const ours = (keepCheckpoints = Number.POSITIVE_INFINITY) =>
  openSessions(
    import.meta.resolve('session-registry'),
    import.meta.resolve('session-registry/langgraph'),
    keepCheckpoints,
  )

/** Another build of the library, whose directory the environment variable BEFORE names. */
function oursBefore(): Promise<Contender> {
  const { BEFORE = '' } = process.env
  const build = `${pathToFileURL(BEFORE).href}/`
  return openSessions(`${build}index.js`, `${build}langgraph.js`, Number.POSITIVE_INFINITY)
}

async function openStock(): Promise<Contender> {
  const saver = new MemorySaver()
  const bytesIn = (value: unknown): number => {
    if (value instanceof Uint8Array) return value.byteLength
    if (typeof value === 'string') return Buffer.byteLength(value)
    return Object.values(value ?? {}).reduce<number>((sum, one) => sum + bytesIn(one), 0)
  }
  return {
    saver,
    storedBytes: () => bytesIn(saver.storage) + bytesIn(saver.writes),
    end: (id) => saver.deleteThread(id),
  }
}

const openers = {
  'session-registry': () => ours(),
  'session-registry, keepCheckpoints: 1': () => ours(1),
  'session-registry before': oursBefore,
  MemorySaver: openStock,
} satisfies Record<string, () => Promise<Contender>>

export type ContenderName = keyof typeof openers

/** Length of a question, and of an answer, in bytes. */
const length = 350
const warmUps = 60
/** The number of last questions whose cheapest counts: other programs only add to it. */
const lastCount = 5
/** The number of questions in all threads whose memory is measured. */
const inMemory = 400

const words = (n: number) => `${n} `.repeat(length).slice(0, length)

/** Counts and times the calls of a saver. */
function watch(saver: BaseCheckpointSaver): Map<Method, number[]> {
  const times = new Map<Method, number[]>()
  for (const method of methods) {
    const all: number[] = []
    const call = (saver[method] as (...args: unknown[]) => Promise<unknown>).bind(saver)
    times.set(method, all)
    Object.assign(saver, {
      [method]: async (...args: unknown[]) => {
        const startedAt = performance.now()
        const result = await call(...args)
        all.push((performance.now() - startedAt) * 1_000)
        return result
      },
    })
  }
  return times
}

async function heldBytes(): Promise<number> {
  // Several times, with pauses: code that is no longer used goes too, and would count as memory of a thread.
  for (let round = 0; round < 8; round += 1) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

async function figuresOf(name: ContenderName, questions: number): Promise<Figures> {
  const { saver, storedBytes, end } = await openers[name]()
  let question = 0
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('model', () => ({ messages: [new AIMessage(words(question))] }))
    .addEdge(START, 'model')
    .addEdge('model', END)
    .compile({ checkpointer: saver })
  const times = watch(saver)
  const cpuUs: number[] = []
  const talk = async (id: string, amount: number) => {
    // Each step waits until it is stored, so that the time of a call contains nothing else.
    const config = { configurable: { thread_id: id }, durability: 'sync' } as const
    for (; amount > 0; amount -= 1) {
      question += 1
      const before = process.cpuUsage()
      await graph.invoke({ messages: [new HumanMessage(words(question + 1_000))] }, config)
      const { user, system } = process.cpuUsage(before)
      cpuUs.push(user + system)
    }
  }
  await talk('warm-up', warmUps)
  await end('warm-up')
  question = 0
  for (const all of [cpuUs, ...times.values()]) all.length = 0
  await talk('session', questions)
  const calls = Object.fromEntries(
    Array.from(times, ([method, all]) => {
      const perInvoke = all.length / questions
      const perQuestion = Array.from({ length: lastCount }, (_, index) => {
        const end = all.length - index * perInvoke
        return all.slice(end - perInvoke, end).reduce((sum, us) => sum + us, 0)
      })
      return [method, { us: Math.min(...perQuestion) / perInvoke, perInvoke }]
    }),
  ) as Figures['calls']
  const stored = storedBytes('session')
  const invoke = Math.min(...cpuUs.slice(-lastCount))
  const ids = Array.from({ length: inMemory / questions }, (_, index) => `session ${index}`)
  for (const id of ids) await talk(id, questions)
  await end('session')
  const full = await heldBytes()
  for (const id of ids) await end(id)
  const memory = (full - (await heldBytes())) / ids.length
  return { said: 2 * length * questions, stored, memory, invoke, calls }
}

const [name, questions] = process.argv.slice(2)
console.log(JSON.stringify(await figuresOf(name as ContenderName, Number(questions))))
