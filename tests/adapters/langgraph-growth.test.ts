import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AIMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { Annotation, END, START, StateGraph } from '@langchain/langgraph'
import { createAgent } from 'langchain'
import { SessionRegistry } from 'session-registry'
import {
  newThread,
  SessionSaver,
  type SessionSaverOptions,
  type Thread,
  threadCodec,
} from 'session-registry/langgraph'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { checkpointOf, putOf } from '../support/checkpoints.ts'
import { readAll } from '../support/read-all.ts'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'
import { transcript } from '../support/transcript.ts'

const ada = { configurable: { thread_id: 'ada' } }

function setUp(options: Partial<SessionSaverOptions> = {}) {
  const threads = new SessionRegistry<Thread>({ create: newThread })
  const saver = new SessionSaver({ source: threads, ...options })
  return { threads, saver, thread: () => threads.get('ada') as Thread }
}

const words = (n: number, length: number) => `${n} `.repeat(length).slice(0, length)

/** Asks an agent so many questions, each of 350 characters, as is the answer. */
async function talk(saver: SessionSaver, questions: number): Promise<void> {
  const model = fakeModel()
  for (let n = 0; n < questions; n += 1) model.respond(new AIMessage(words(n, 350)))
  const agent = createAgent({ model, tools: [], checkpointer: saver })
  for (let n = 0; n < questions; n += 1) {
    await agent.invoke({ messages: [{ role: 'user', content: words(n + 1_000, 350) }] }, ada)
  }
}

describe('a thread grows linearly with the conversation', () => {
  it('as text: at most five times its length, for 50 questions and for 100', async () => {
    const lengths: number[] = []
    for (const questions of [50, 100]) {
      const { saver, thread } = setUp()
      await talk(saver, questions)
      const text = threadCodec.encode(thread())
      lengths.push(text.length)
      expect(text.length).toBeLessThan(5 * questions * 700)
    }
    expect(lengths[1]).toBeLessThan(2.1 * (lengths[0] ?? 0))
  }, 60_000)

  it('in memory: at most five times its length, for 100 questions and for 200', async () => {
    const script = fileURLToPath(new URL('../support/thread-growth.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script])
    const { said, count, hundred, twoHundred } = JSON.parse(stdout)
    expect(count).toBe(2)
    expect(hundred).toBeGreaterThan(said)
    expect(hundred).toBeLessThan(5 * said)
    expect(twoHundred).toBeLessThan(5 * 2 * said)
    expect(twoHundred).toBeGreaterThan(1.5 * hundred)
  }, 120_000)

  it('with a subgraph that gets all messages, and with a list that is a window of the newest', async () => {
    const State = Annotation.Root({
      messages: Annotation<object[]>({
        reducer: (before, more) => before.concat(more).slice(-40),
        default: () => [],
      }),
    })
    const child = new StateGraph(State)
      .addNode('answer', ({ messages }) => ({
        messages: [{ role: 'ai', content: words(messages.length, 350) }],
      }))
      .addEdge(START, 'answer')
      .addEdge('answer', END)
      .compile()
    const { saver, thread } = setUp()
    const graph = new StateGraph(State)
      .addNode('child', async ({ messages }, config) => {
        const { messages: all } = await child.invoke({ messages }, config)
        return { messages: all.slice(-1) }
      })
      .addEdge(START, 'child')
      .addEdge('child', END)
      .compile({ checkpointer: saver })
    for (let n = 0; n < 60; n += 1) {
      await graph.invoke({ messages: [{ role: 'user', content: words(n + 1_000, 350) }] }, ada)
    }
    // A question makes six checkpoints here, and forty messages are named in each list.
    expect(threadCodec.encode(thread()).length).toBeLessThan(10 * 60 * 700)
    expect((await graph.getState(ada)).values.messages).toHaveLength(40)
  }, 60_000)
})

describe('the newest checkpoint', () => {
  it('is the one put last, for any ids; `list` is in the order of ids', async () => {
    const { saver, thread } = setUp()
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('5', { a: 5 }))
    await putOf(saver, { thread_id: 'ada', checkpoint_id: '5' }, checkpointOf('3', { a: 3 }))
    expect((await saver.getTuple(ada))?.checkpoint.id).toBe('3')
    expect((await readAll(saver.list(ada))).map(({ checkpoint }) => checkpoint.id)).toEqual(['5', '3'])
    // One that is put again is the last.
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('5', { a: 6 }))
    expect((await saver.getTuple(ada))?.checkpoint.channel_values).toEqual({ a: 6 })
    const back = threadCodec.decode(threadCodec.encode(thread()))
    expect(back.namespaces.get('')?.newestId).toBe('5')
  })

  it('is where an agent continues after the clock was set back', async () => {
    const { saver } = setUp()
    const model = fakeModel()
    for (const n of [1, 2, 3]) model.respond((seen) => new AIMessage(`${n}: I see ${seen.length}`))
    const agent = createAgent({ model, tools: [], checkpointer: saver })
    const start = Date.now()
    const clock = vi.spyOn(Date, 'now')
    onTestFinished(() => clock.mockRestore())
    for (const [hours, content] of [
      [0, 'one'],
      [-2, 'two'],
      [-1, 'three'],
    ] as const) {
      clock.mockImplementation(() => start + hours * 3_600_000)
      await agent.invoke({ messages: [{ role: 'user', content }] }, ada)
    }
    expect(transcript((await agent.graph.getState(ada)).values.messages)).toEqual([
      ...['human:one', 'ai:1: I see 1', 'human:two', 'ai:2: I see 3', 'human:three', 'ai:3: I see 5'],
    ])
  })
})

describe('keepCheckpoints', () => {
  it('keeps the newest ones of each namespace, with their writes', async () => {
    const { saver, thread } = setUp({ keepCheckpoints: 2 })
    for (const checkpoint_ns of ['', 'child:1']) {
      for (let n = 1; n <= 5; n += 1) {
        const parent = n === 1 ? {} : { checkpoint_id: `${n - 1}` }
        const config = await putOf(
          saver,
          { thread_id: 'ada', checkpoint_ns, ...parent },
          checkpointOf(`${n}`, { n }),
        )
        await saver.putWrites(config, [['n', n]], 'task')
      }
    }
    const kept = await readAll(saver.list(ada))
    expect(kept.map(({ checkpoint, pendingWrites }) => [checkpoint.id, pendingWrites])).toEqual(
      [5, 4, 5, 4].map((n) => [`${n}`, [['task', 'n', n]]]),
    )
    const gone = { configurable: { thread_id: 'ada', checkpoint_id: '3' } }
    expect(await saver.getTuple(gone)).toBeUndefined()
    expect([...thread().namespaces.values()].map(({ writes }) => [...writes.keys()])).toEqual([
      ['4', '5'],
      ['4', '5'],
    ])
  })

  it('counts by the order of puts, not by ids', async () => {
    const { saver } = setUp({ keepCheckpoints: 1 })
    for (const id of ['9', '1']) await putOf(saver, { thread_id: 'ada' }, checkpointOf(id, { id }))
    expect((await readAll(saver.list(ada))).map(({ checkpoint }) => checkpoint.id)).toEqual(['1'])
  })

  it('a conversation continues, and stays whole', async () => {
    const { saver, thread } = setUp({ keepCheckpoints: 1 })
    await talk(saver, 12)
    expect((await saver.getTuple(ada))?.checkpoint.channel_values).toMatchObject({
      messages: { length: 24 },
    })
    expect(thread().namespaces.get('')?.checkpoints.size).toBe(1)
    expect(threadCodec.encode(thread()).length).toBeLessThan(2 * 12 * 700)
  })

  it.each([[0], [1.5], [-1], [Number.NaN], [null], ['2']])('refuses %j', (keepCheckpoints) => {
    const error = thrownBy(() => setUp({ keepCheckpoints: keepCheckpoints as number })) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toMatch(
      /^Expected `keepCheckpoints` to be an integer of at least 1 or Infinity, got /,
    )
  })
})

describe('a value that could not be decoded', () => {
  function nested(levels: number): unknown {
    let value: unknown = 'end'
    for (let level = 0; level < levels; level += 1) value = [value]
    return value
  }

  it('is refused at the put: nested more than 500 levels deep', async () => {
    const { saver, threads } = setUp()
    const put = (levels: number) =>
      putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { deep: nested(levels) }))
    for (const levels of [501, 1_500, 3_000]) {
      const error = (await failureOf(() => put(levels))) as Error
      expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
      expect(error.message).toMatch(/^Expected channel `deep` to be /)
    }
    expect(threads.size).toBe(0)
    await put(500)
    expect((await saver.getTuple(ada))?.checkpoint.channel_values).toEqual({ deep: nested(500) })
  })

  it('is refused at the put: what the serializer would replace by a remark, a whole history for one bigint', async () => {
    const { saver, threads } = setUp()
    const messages = [new AIMessage('kept?'), { count: 7n }]
    const put = () => putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { messages }))
    expect(await failureOf(put)).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    const config = { configurable: { thread_id: 'ada', checkpoint_id: '1' } }
    const error = (await failureOf(() => saver.putWrites(config, [['messages', messages]], 'task'))) as Error
    expect(error.message).toBe(
      'Expected the write to `messages` to be data that the serializer keeps, got a bigint or the like',
    )
    expect(threads.size).toBe(0)
  })
})
