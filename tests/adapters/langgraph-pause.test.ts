import {
  Annotation,
  type BaseCheckpointSaver,
  Command,
  END,
  interrupt,
  START,
  StateGraph,
} from '@langchain/langgraph'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { failureOf, sessionError } from '../support/session-error.ts'

const ada = { configurable: { thread_id: 'ada' } }

const week = 7 * 24 * 60 * 60 * 1_000

const State = Annotation.Root({ answer: Annotation<string>(), done: Annotation<string[]>() })

function setUp(pausedTimeoutMs?: number, options: SessionRegistryOptions<Thread> = {}) {
  const clock = new ManualClock()
  const threads = new SessionRegistry<Thread>({ clock, timeoutMs: 1_000, create: newThread, ...options })
  return { clock, threads, saver: new SessionSaver({ source: threads, pausedTimeoutMs }) }
}

const ask = () => ({ answer: interrupt<string, string>('may I?') })

/** Asks, in the graph itself. */
function asking(checkpointer: BaseCheckpointSaver) {
  return new StateGraph(State)
    .addNode('ask', ask)
    .addEdge(START, 'ask')
    .addEdge('ask', END)
    .compile({ checkpointer })
}

/** Asks in a subgraph, two levels down. */
function askingBelow(checkpointer: BaseCheckpointSaver) {
  const inner = new StateGraph(State).addNode('ask', ask).addEdge(START, 'ask').addEdge('ask', END).compile()
  const middle = new StateGraph(State)
    .addNode('inner', inner)
    .addEdge(START, 'inner')
    .addEdge('inner', END)
    .compile()
  return new StateGraph(State)
    .addNode('middle', middle)
    .addEdge(START, 'middle')
    .addEdge('middle', END)
    .compile({ checkpointer })
}

/** Asks twice, one after the other. */
function askingTwice(checkpointer: BaseCheckpointSaver) {
  return new StateGraph(State)
    .addNode('first', ask)
    .addNode('second', ask)
    .addEdge(START, 'first')
    .addEdge('first', 'second')
    .addEdge('second', END)
    .compile({ checkpointer })
}

describe('a thread that waits for an answer', () => {
  it.each<[string, typeof asking]>([
    ['in the graph', asking],
    ['in a subgraph', askingBelow as never],
  ])('%s: its idle timeout is seven days until it resumes', async (_where, build) => {
    const { clock, threads, saver } = setUp()
    const graph = build(saver)
    await graph.invoke({ done: [] }, ada)
    expect(threads.peek('ada')?.timeoutMs).toBe(week)
    clock.advance(week - 1)
    expect((await graph.getState(ada)).tasks[0]?.interrupts).toHaveLength(1)

    expect(await graph.invoke(new Command({ resume: 'yes' }), ada)).toMatchObject({ answer: 'yes' })
    expect(threads.peek('ada')?.timeoutMs).toBe(1_000)
    clock.advance(999)
    expect(threads.has('ada')).toBe(true)
    clock.advance(1)
    expect(threads.has('ada')).toBe(false)
  })

  it.each(['sync', 'async', 'exit'] as const)(
    'is recognised with the durability `%s`',
    async (durability) => {
      const { threads, saver } = setUp()
      const graph = asking(saver)
      await graph.invoke({ done: [] }, { ...ada, durability })
      expect(threads.peek('ada')?.timeoutMs).toBe(week)
      await graph.invoke(new Command({ resume: 'yes' }), { ...ada, durability })
      expect(threads.peek('ada')?.timeoutMs).toBe(1_000)
    },
  )

  it('does not expire if `pausedTimeoutMs` is `Infinity`', async () => {
    const { clock, threads, saver } = setUp(Number.POSITIVE_INFINITY)
    await asking(saver).invoke({ done: [] }, ada)
    clock.advance(1_000 * week)
    expect(threads.has('ada')).toBe(true)
  })

  it('`pausedTimeoutMs`: alive one millisecond before it, expired exactly at it', async () => {
    const { clock, threads, saver } = setUp(5_000)
    await asking(saver).invoke({ done: [] }, ada)
    expect(threads.peek('ada')?.timeoutMs).toBe(5_000)
    clock.advance(4_999)
    expect(threads.has('ada')).toBe(true)
    clock.advance(1)
    expect(threads.has('ada')).toBe(false)
  })

  it('waits again if it asks again', async () => {
    const { threads, saver } = setUp(5_000)
    const graph = askingTwice(saver)
    await graph.invoke({ done: [] }, ada)
    await graph.invoke(new Command({ resume: 'one' }), ada)
    expect(threads.peek('ada')?.timeoutMs).toBe(5_000)
    await graph.invoke(new Command({ resume: 'two' }), ada)
    expect(threads.peek('ada')?.timeoutMs).toBe(1_000)
  })

  it('resumes by new input too', async () => {
    const { threads, saver } = setUp()
    const plain = new StateGraph(State)
      .addNode('maybe', ({ done }) => (done.length === 0 ? ask() : { answer: 'none needed' }))
      .addEdge(START, 'maybe')
      .addEdge('maybe', END)
      .compile({ checkpointer: saver })
    await plain.invoke({ done: [] }, ada)
    expect(threads.peek('ada')?.timeoutMs).toBe(week)
    await plain.invoke({ done: ['all'] }, ada)
    expect(threads.peek('ada')?.timeoutMs).toBe(1_000)
  })

  it('its session’s own idle timeout is restored if it had one', async () => {
    const { threads, saver } = setUp()
    const graph = asking(saver)
    threads.getOrCreate('ada', newThread, { timeoutMs: 7_000 })
    await graph.invoke({ done: [] }, ada)
    await graph.invoke(new Command({ resume: 'yes' }), ada)
    expect(threads.peek('ada')?.timeoutMs).toBe(7_000)
  })

  it('its idle timeout is restored after a turn that was rolled back', async () => {
    const { threads, saver } = setUp(undefined, { rollback: true })
    const graph = asking(saver)
    const failed = threads.run('ada', async () => {
      await graph.invoke({ done: [] }, ada)
      throw new Error('down')
    })
    await expect(failed).rejects.toThrow('down')
    expect(threads.get('ada')?.namespaces.size).toBe(0)
    await graph.updateState(ada, { answer: 'none' })

    expect(threads.peek('ada')?.timeoutMs).toBe(1_000)
  })

  it('still ends by age, capacity and `delete`', async () => {
    const { clock, threads, saver } = setUp(undefined, { maxAgeMs: 10_000, maxSessions: 1 })
    const graph = asking(saver)
    await graph.invoke({ done: [] }, ada)
    clock.advance(10_000)
    expect(threads.has('ada')).toBe(false)
    await graph.invoke({ done: [] }, ada)
    threads.getOrCreate('bob')
    expect(threads.has('ada')).toBe(false)
    await graph.invoke({ done: [] }, ada)
    await saver.deleteThread('ada')
    expect(threads.has('ada')).toBe(false)
  })

  it('can be archived and loaded, and resumes', async () => {
    const archive = new Map<string, Thread>()
    const { clock, threads, saver } = setUp(5_000, {
      archive: async ({ id, value }) => void archive.set(id, value),
      load: async (id) => archive.get(id),
    })
    const graph = asking(saver)
    await graph.invoke({ done: [] }, ada)
    await clock.advanceAsync(5_000)
    threads.sweep()
    await clock.advanceAsync(0)
    expect(threads.size).toBe(0)
    expect(archive.size).toBe(1)
    expect(await graph.invoke(new Command({ resume: 'yes' }), ada)).toMatchObject({ answer: 'yes' })
    expect(threads.peek('ada')?.timeoutMs).toBe(1_000)
  })
})

describe('an answer after the thread has ended', () => {
  it.each(['sync', 'async', 'exit'] as const)('is refused, with the durability `%s`', async (durability) => {
    const { clock, saver } = setUp(5_000)
    const graph = asking(saver)
    await graph.invoke({ done: [] }, { ...ada, durability })
    clock.advance(5_000)
    const answer = () => graph.invoke(new Command({ resume: 'yes' }), { ...ada, durability })
    const error = (await failureOf(answer)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).toMatch(/^Expected the checkpoint that is resumed to be in the thread/)
    // And a question begins anew.
    await graph.invoke({ done: [] }, { ...ada, durability })
    expect(await graph.invoke(new Command({ resume: 'yes' }), { ...ada, durability })).toMatchObject({
      answer: 'yes',
    })
  })

  it('creates no session where it is refused', async () => {
    const { threads, saver } = setUp()
    const config = { configurable: { thread_id: 'ada', checkpoint_id: '1' } }
    const write = () =>
      saver.putWrites(config, [['__resume__', 'yes']], '00000000-0000-0000-0000-000000000000')

    expect(await failureOf(write)).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(threads.size).toBe(0)
    await threads.open('ada')
    expect(await failureOf(write)).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(threads.get('ada')).toEqual(newThread())
  })
})
