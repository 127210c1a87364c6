import { AIMessage, type BaseMessage, HumanMessage, RemoveMessage } from '@langchain/core/messages'
import {
  Annotation,
  DeltaChannel,
  END,
  MemorySaver,
  MessagesAnnotation,
  messagesDeltaReducer,
  Overwrite,
  REMOVE_ALL_MESSAGES,
  START,
  StateGraph,
} from '@langchain/langgraph'
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread, threadCodec } from 'session-registry/langgraph'
import { describe, expect, it } from 'vitest'
import fc from '../support/fast-check.ts'
import { readAll } from '../support/read-all.ts'

const said = (n: number) => `${n}: ${'so it was said '.repeat(6)}`

const acts = ['say', 'say', 'say', 'remove', 'remove all', 'replace', 'change in place', 'overwrite'] as const

interface Question {
  readonly act: (typeof acts)[number]
  /** Which message it concerns. */
  readonly at: number
  /** Which earlier state it continues; mostly the newest. */
  readonly on: number
}

const question: fc.Arbitrary<Question> = fc.record({
  act: fc.constantFrom(...acts),
  at: fc.nat(),
  on: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat() }),
})

const log = Annotation<string[]>({ reducer: (before, more) => before.concat(more), default: () => [] })
const List = Annotation.Root({ ...MessagesAnnotation.spec, log })
const Deltas = Annotation.Root({
  log,
  messages: () =>
    new DeltaChannel<BaseMessage[], BaseMessage[]>(messagesDeltaReducer, { snapshotFrequency: 3 }),
})

type Update = { readonly messages: BaseMessage[]; readonly log?: string[] | Overwrite<string[]> }

/** Returns what a node writes. A change in place is made at once. */
function answerTo({ act, at }: Question, messages: readonly BaseMessage[], n: number): Update {
  const answer = new AIMessage({ content: said(n), id: `ai ${n}` })
  const target = messages[at % messages.length]
  const id = target?.id ?? ''
  switch (act) {
    case 'remove':
      return { messages: [new RemoveMessage({ id }), answer] }
    case 'remove all':
      return { messages: [new RemoveMessage({ id: REMOVE_ALL_MESSAGES }), answer] }
    case 'replace':
      return { messages: [new AIMessage({ content: `instead: ${said(n)}`, id }), answer] }
    case 'change in place':
      Object.assign(target?.additional_kwargs ?? {}, { changed: n })
      return { messages: [answer] }
    case 'overwrite':
      return { messages: [answer], log: new Overwrite([`${n}`]) }
    case 'say':
      return { messages: [answer], log: [`said ${n}`] }
  }
}

const namespaceIn = ({ checkpoint_ns }: { readonly checkpoint_ns?: string } = {}) => checkpoint_ns ?? ''

/** Asks the questions, and returns all states of the graph and of its subgraph. */
async function converse(
  State: typeof List,
  checkpointer: BaseCheckpointSaver,
  questions: readonly Question[],
  afterQuestion: () => void,
): Promise<unknown> {
  let n = 0
  const child = new StateGraph(State)
    .addNode('reply', ({ messages }) => ({
      messages: [new AIMessage({ content: `${messages.length} so far`, id: `child ${n}` })],
    }))
    .addEdge(START, 'reply')
    .addEdge('reply', END)
    .compile()
  const graph = new StateGraph(State)
    .addNode('answer', ({ messages }) => answerTo(questions[n] as Question, messages, n))
    .addNode('child', child)
    .addEdge(START, 'answer')
    .addEdge('answer', 'child')
    .addEdge('child', END)
    .compile({ checkpointer })
  const config = { configurable: { thread_id: 'ada' } }
  for (; n < questions.length; n += 1) {
    const states = await readAll(graph.getStateHistory(config))
    const state = states[(questions[n]?.on ?? 0) % Math.max(states.length, 1)]
    const input = { messages: [new HumanMessage({ content: said(n + 1_000), id: `human ${n}` })] }
    await graph.invoke(input, state?.config ?? config)
    afterQuestion()
  }
  const tuples = await readAll(checkpointer.list(config))
  return tuples.map(({ config: { configurable }, checkpoint, metadata, pendingWrites }) => ({
    // The rest of a namespace is an id of a task.
    namespace: namespaceIn(configurable).split(':')[0],
    // A channel without a version was never written to: the stock saver stores its empty value.
    values: Object.fromEntries(
      Object.entries(checkpoint.channel_values).filter(([name]) => name in checkpoint.channel_versions),
    ),
    versions: checkpoint.channel_versions,
    step: [metadata?.source, metadata?.step],
    writes: pendingWrites?.map(([, channel, value]) => [channel, value]),
  }))
}

describe('a conversation with removals, replacements, changes in place, forks and a subgraph', () => {
  it.each([
    ['a list', List],
    ['a delta channel', Deltas as unknown as typeof List],
  ])(
    'reads as with the stock saver: property, %s',
    async (_what, State) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(question, { minLength: 1, maxLength: 6 }),
          fc.boolean(),
          async (all, isCopied) => {
            const threads = new SessionRegistry<Thread>({ create: newThread })
            const copy = () => {
              threads.set('ada', threadCodec.decode(threadCodec.encode(threads.get('ada') as Thread)))
            }
            const stock = await converse(State, new MemorySaver(), all, () => {})
            const ours = await converse(
              State,
              new SessionSaver({ source: threads }),
              all,
              isCopied ? copy : () => {},
            )
            expect(ours).toEqual(stock)
          },
        ),
        { numRuns: 25 },
      )
    },
    120_000,
  )
})
