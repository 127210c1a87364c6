import { readFileSync } from 'node:fs'
import { AIMessage, HumanMessage } from '@langchain/core/messages'
import {
  Annotation,
  Command,
  END,
  interrupt,
  MessagesAnnotation,
  START,
  StateGraph,
} from '@langchain/langgraph'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread, threadCodec } from 'session-registry/langgraph'
import { describe, expect, it } from 'vitest'
import { checkpointOf, putOf } from '../support/checkpoints.ts'
import { readAll } from '../support/read-all.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'
import { TextSource } from '../support/text-source.ts'
import { transcript } from '../support/transcript.ts'

const ada = { configurable: { thread_id: 'ada' } }

function setUp() {
  const threads = new SessionRegistry<Thread>({ timeoutMs: 1_000, create: newThread })
  /** What a registry that keeps values as text does between two turns. */
  const throughText = () => {
    const thread = threads.get('ada') as Thread
    const text = threadCodec.encode(thread)
    threads.set('ada', threadCodec.decode(text))
    return text
  }
  return { threads, throughText, saver: new SessionSaver({ source: threads }) }
}

describe('threadCodec', () => {
  it('restores a new thread', () => {
    expect(threadCodec.decode(threadCodec.encode(newThread()))).toStrictEqual(newThread())
  })

  it('preserves messages, bytes, and everything else that the serializer preserves', async () => {
    const { saver, throughText } = setUp()
    const values = {
      messages: [new HumanMessage('hällo 😀'), new AIMessage({ content: 'hi', id: 'm1' })],
      bytes: new Uint8Array([0, 128, 255]),
      inside: { picture: new Uint8Array([137, 80]), when: new Map([['a', new Set([1])]]) },
      nothing: undefined,
    }
    const config = await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', values))
    await saver.putWrites(config, [['a', values.messages]], 'task', '~1')
    const before = await saver.getTuple(ada)
    throughText()
    const after = await saver.getTuple(ada)
    expect(after).toEqual(before)
    expect(after?.checkpoint.channel_values).toEqual(values)
    const read = after?.checkpoint.channel_values as typeof values | undefined
    expect(read?.messages.map((message) => message.constructor)).toEqual([HumanMessage, AIMessage])
  })

  it('encodes shared parts of checkpoints once, and restores the sharing', async () => {
    const { saver, threads, throughText } = setUp()
    const big = 'x'.repeat(10_000)
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('0', { big }))
    for (let n = 1; n < 10; n += 1) {
      await putOf(saver, { thread_id: 'ada', checkpoint_id: `${n - 1}` }, checkpointOf(`${n}`, { big }), [])
    }
    expect(throughText().length).toBeLessThan(2 * big.length)
    const stored = [...(threads.get('ada')?.namespaces.get('')?.checkpoints.values() ?? [])]
    expect(new Set(stored.map(({ channels }) => channels.find(({ name }) => name === 'big'))).size).toBe(1)
  })

  it.each([
    ['for ever', Number.POSITIVE_INFINITY],
    ['for a time', 5_000],
  ])(
    'preserves that a thread is paused, in a session with %s as its timeout, and it resumes',
    async (_name, timeoutMs) => {
      const { saver, threads, throughText } = setUp()
      const State = Annotation.Root({ answer: Annotation<string>() })
      const graph = new StateGraph(State)
        .addNode('ask', () => ({ answer: interrupt<string, string>('may I?') }))
        .addEdge(START, 'ask')
        .addEdge('ask', END)
        .compile({ checkpointer: saver })
      threads.getOrCreate('ada', newThread, { timeoutMs })
      await graph.invoke({ answer: '' }, ada)
      throughText()
      expect(threads.get('ada')?.timeoutBeforePauseMs).toBe(timeoutMs)
      expect(await graph.invoke(new Command({ resume: 'yes' }), ada)).toEqual({ answer: 'yes' })
      expect(threads.peek('ada')?.timeoutMs).toBe(timeoutMs)
      throughText()
      expect(threads.get('ada')?.timeoutBeforePauseMs).toBeUndefined()
    },
  )

  it('works for a saver on copies of text, in a turn and outside', async () => {
    const source = new TextSource<Thread>(threadCodec, newThread)
    const State = Annotation.Root({
      log: Annotation<string[]>({ reducer: (before, more) => before.concat(more), default: () => [] }),
    })
    const graph = new StateGraph(State)
      .addNode('ask', () => ({ log: [interrupt<string, string>('may I?')] }))
      .addNode('end', () => ({ log: ['end'] }))
      .addEdge(START, 'ask')
      .addEdge('ask', 'end')
      .addEdge('end', END)
      .compile({ checkpointer: new SessionSaver({ source }) })
    await graph.invoke({ log: ['one'] }, ada)
    expect(source.registry.peek('ada')?.timeoutMs).toBe(7 * 24 * 60 * 60 * 1_000)
    const resume = () => graph.invoke(new Command({ resume: 'yes' }), ada)
    expect(await source.run('ada', resume)).toEqual({ log: ['one', 'yes', 'end'] })
    expect(source.registry.peek('ada')?.timeoutMs).toBe(60_000)
    expect((await graph.getState(ada)).values).toEqual({ log: ['one', 'yes', 'end'] })
  })

  it('decodes threads of version 0.1, and their graphs continue', async () => {
    const text = readFileSync(new URL('./fixtures/thread-of-0.1.txt', import.meta.url), 'utf8')
    const { threads, saver, throughText } = setUp()
    threads.set('ada', threadCodec.decode(text))
    const State = Annotation.Root({ ...MessagesAnnotation.spec, picture: Annotation<Uint8Array> })
    const graph = new StateGraph(State)
      .addNode('answer', () => ({}))
      .addNode('ask', () => ({ messages: [new AIMessage(interrupt<string, string>('may I?'))] }))
      .addEdge(START, 'answer')
      .addEdge('answer', 'ask')
      .addEdge('ask', END)
      .compile({ checkpointer: saver })
    const before = await graph.getState(ada)
    expect(before.next).toEqual(['ask'])
    expect(transcript(before.values.messages)).toEqual([
      ...['human:häl\u2028lo', 'ai:I see 1', 'human:again', 'ai:I see 3'],
    ])
    expect(before.values.picture).toEqual(new Uint8Array([255, 0, 128]))
    // Five checkpoints of the first question, and what there is of the second.
    expect(await readAll(graph.getStateHistory(ada))).toHaveLength(7)
    expect(throughText().length).toBeLessThan(text.length / 2)

    const { messages } = await graph.invoke(new Command({ resume: 'yes' }), ada)
    expect(transcript(messages).at(-1)).toBe('ai:yes')
    // The timeout that its session had in 0.1, before it was paused.
    expect(threads.peek('ada')?.timeoutMs).toBe(7_000)
  })

  it('decodes threads of format 2 as it was first written, with forks, and their graphs continue', async () => {
    const text = readFileSync(new URL('./fixtures/thread-of-format-2.txt', import.meta.url), 'utf8')
    const { threads, saver, throughText } = setUp()
    threads.set('ada', threadCodec.decode(text))
    const State = Annotation.Root({ ...MessagesAnnotation.spec, picture: Annotation<Uint8Array> })
    const graph = new StateGraph(State)
      .addNode('answer', () => ({}))
      .addNode('ask', () => ({ messages: [new AIMessage(interrupt<string, string>('may I?'))] }))
      .addEdge(START, 'answer')
      .addEdge('answer', 'ask')
      .addEdge('ask', END)
      .compile({ checkpointer: saver })
    const before = await graph.getState(ada)
    expect(before.next).toEqual(['ask'])
    expect(transcript(before.values.messages)).toEqual([
      ...['human:häl\u2028lo', 'ai:I see 1', 'human:again', 'ai:I see 3'],
    ])
    expect(before.values.picture).toEqual(new Uint8Array([255, 0, 128]))
    const history = await readAll(graph.getStateHistory(ada))
    expect(history.filter(({ values }) => JSON.stringify(values).includes('a fork'))).toHaveLength(1)
    // Nothing of the format has changed since.
    expect(throughText()).toBe(text)

    const { messages } = await graph.invoke(new Command({ resume: 'yes' }), ada)
    expect(transcript(messages).at(-1)).toBe('ai:yes')
    expect(threads.peek('ada')?.timeoutMs).toBe(7_000)
  })

  const aThread = threadCodec.encode(newThread())
  const rowsOf = (rows: object) => JSON.stringify({ ...JSON.parse(aThread), ...rows })
  const stored = [[0, 0, null, 0, [0]]]

  it.each([
    ['no JSON', 'thread'],
    ['something else', '{"pieces":[],"thread":[]}'],
    ['nothing', 'null'],
    ['a list', '[]'],
    ['a version that is not known', '{"version":3}'],
    ['no rows', '{"version":2}'],
    ['a text that is none', rowsOf({ texts: [{ length: 2e9 }] })],
    ['a piece that is not there', rowsOf({ stored })],
    ['a place that is none', rowsOf({ texts: ['a'], stored: [['length', 0, null, 0, [0]]] })],
    ['a base that comes later', rowsOf({ texts: ['a'], stored: [[0, 0, 1, 1, [0]], ...stored] })],
    ['a base that is itself', rowsOf({ texts: ['a'], stored: [[0, 0, 0, 1, [0]]] })],
    ['a checkpoint that is none', rowsOf({ namespaces: [['', [null], []]] })],
    [
      'a head without a part of its filling',
      rowsOf({
        texts: ['json', '{"v":\0,"n":\0}', '{}'],
        namespaces: [['', [['1', null, [0, 0, 1, '4'], [0, 0, 2, null], []]], []]],
      }),
    ],
    [
      'a channel without a name',
      rowsOf({
        texts: ['a'],
        stored,
        namespaces: [['', [['1', null, [0, 0, 0, ''], [0, 0, 0, ''], [0]]], []]],
      }),
    ],
    ['writes that are none', rowsOf({ namespaces: [['', [], [['1', [[]]]]]] })],
    ['a timeout that is none', rowsOf({ timeoutBeforePause: 'NaN' })],
    ['early pieces that are none', '{"pieces":[{"length":2000000000}],"thread":{"namespaces":{"map":[]}}}'],
    ['an early map that is none', '{"pieces":[],"thread":{"namespaces":{"map":{"length":2000000000}}}}'],
  ])('refuses a text that is %s', (_name, text) => {
    const error = thrownBy(() => threadCodec.decode(text)) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).toBe('Expected `text` to be a thread as `threadCodec` writes it')
    expect(error.cause).toBeInstanceOf(Error)
  })

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['secret', 'a string'],
    [[], 'an array'],
    [{ namespaces: {} }, 'an object'],
  ])('refuses to encode %j', (thread, kind) => {
    const error = thrownBy(() => threadCodec.encode(thread as never)) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).toBe(`Expected \`thread\` to be what \`newThread\` makes, got ${kind}`)
  })
})
