import { Annotation, END, MemorySaver, START, StateGraph } from '@langchain/langgraph'
import {
  type BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointTuple,
  emptyCheckpoint,
} from '@langchain/langgraph-checkpoint'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread, threadCodec } from 'session-registry/langgraph'
import { describe, expect, it } from 'vitest'
import fc from '../support/fast-check.ts'
import { readAll } from '../support/read-all.ts'

const channels = ['a', 'b', 'c'] as const

/** One more checkpoint: on which of those before it, and what it does to the channels. */
interface Step {
  readonly on: number
  readonly id: number
  readonly namespace: string
  readonly change: readonly { readonly channel: (typeof channels)[number]; readonly value: unknown }[]
  readonly drop: readonly (typeof channels)[number][]
  readonly writes: readonly { readonly task: string; readonly path: string; readonly value: unknown }[]
}

const value = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.constant(undefined),
  fc.constant([]),
  fc.string({ unit: 'binary', minLength: 60 }),
  fc.record({ bytes: fc.uint8Array({ maxLength: 4 }) }),
)

const step: fc.Arbitrary<Step> = fc.record({
  on: fc.nat(),
  id: fc.nat({ max: 0xffff }),
  namespace: fc.constantFrom('', 'child:1', '__proto__x'),
  change: fc.array(fc.record({ channel: fc.constantFrom(...channels), value }), { maxLength: 3 }),
  drop: fc.subarray([...channels], { maxLength: 1 }),
  writes: fc.array(
    fc.record({ task: fc.constantFrom('t1', 't2', '\uffee', '😀'), path: fc.constantFrom('', '~1'), value }),
    { maxLength: 3 },
  ),
})

/**
 * A list grows, shrinks at either end or changes inside, as lists of messages do; anything else is replaced.
 */
function grown(before: unknown, value: unknown): unknown {
  if (!Array.isArray(before)) return value
  const entry = { role: 'user', content: `${JSON.stringify(value)} ${'so it was said '.repeat(5)}` }
  switch (before.length % 7) {
    case 4:
      return [...before.slice(1), entry]
    case 5:
      return before.slice(0, -1)
    case 6:
      return before.with(2, entry)
    default:
      return [...before, entry, value]
  }
}

/**
 * Builds a tree of forks, on any saver in the same way; returns which checkpoint each namespace was given
 * last.
 */
async function grow(saver: BaseCheckpointSaver, steps: readonly Step[]): Promise<Map<string, string>> {
  const puts = new Map<string, Checkpoint[]>()
  for (const [index, { on, id, namespace, change, drop, writes }] of steps.entries()) {
    const before = puts.get(namespace) ?? []
    // One in so many starts anew; the others grow on any that is there, so that most trees have forks.
    const parent = before.length === 0 || on % 7 === 0 ? undefined : before[on % before.length]
    const values: Record<string, unknown> = { ...parent?.channel_values }
    const versions: Record<string, number> = { ...(parent?.channel_versions as Record<string, number>) }
    const changed: Record<string, number> = {}
    for (const { channel, value } of change) {
      values[channel] = grown(parent?.channel_values[channel], value)
      // Forks count alike: the same channel at the same version, with another value.
      changed[channel] = Number(parent?.channel_versions[channel] ?? 0) + 1
      versions[channel] = changed[channel]
    }
    for (const channel of drop) delete values[channel]
    const checkpoint: Checkpoint = {
      ...emptyCheckpoint(),
      ts: '2026-01-01T00:00:00.000Z',
      id: `${id.toString(16).padStart(4, '0')}-${index}`,
      channel_values: values,
      channel_versions: versions,
    }
    const config = { configurable: { thread_id: 'ada', checkpoint_ns: namespace, checkpoint_id: parent?.id } }
    const metadata = { source: 'loop' as const, step: index, parents: {} }
    const stored = await saver.put(config, checkpoint, metadata, parent === undefined ? versions : changed)
    for (const { task, path, value } of writes) await saver.putWrites(stored, [['a', value]], task, path)
    puts.set(namespace, [...before, checkpoint])
  }
  return new Map(Array.from(puts, ([namespace, all]) => [namespace, all.at(-1)?.id ?? '']))
}

const namespaces = ['', 'child:1', '__proto__x']

/** Every checkpoint of a thread, by both ways to read it. */
async function readThread(saver: BaseCheckpointSaver): Promise<unknown> {
  const listed = await readAll(saver.list({ configurable: { thread_id: 'ada' } }))
  const got: (CheckpointTuple | undefined)[] = []
  for (const { config } of listed) got.push(await saver.getTuple(config))
  return { listed, got }
}

/**
 * The newest checkpoint of each namespace. The stock saver takes the greatest id for it, and ours the one put
 * last.
 */
async function readNewest(saver: BaseCheckpointSaver): Promise<(string | undefined)[]> {
  const newest: (string | undefined)[] = []
  for (const checkpoint_ns of namespaces) {
    const tuple = await saver.getTuple({ configurable: { thread_id: 'ada', checkpoint_ns } })
    newest.push(tuple?.checkpoint.id)
  }
  return newest
}

describe('a thread with forks', () => {
  it('reads equal those of the stock saver, which stores every checkpoint whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
        const threads = new SessionRegistry<Thread>({ create: newThread })
        const stock = new MemorySaver()
        const ours = new SessionSaver({ source: threads })
        await grow(stock, steps)
        const last = await grow(ours, steps)
        const expected = await readThread(stock)
        expect(await readThread(ours)).toEqual(expected)
        expect(await readNewest(ours)).toEqual(namespaces.map((namespace) => last.get(namespace)))

        // The same after a way through text.
        const text = threadCodec.encode(threads.get('ada') as Thread)
        threads.set('ada', threadCodec.decode(text))
        expect(await readThread(ours)).toEqual(expected)
        expect(await readNewest(ours)).toEqual(namespaces.map((namespace) => last.get(namespace)))
        expect(threadCodec.encode(threads.get('ada') as Thread)).toBe(text)
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  it('updates, copies and resumes at old checkpoints equal those of the stock saver', async () => {
    const State = Annotation.Root({
      log: Annotation<string[]>({ reducer: (before, more) => before.concat(more), default: () => [] }),
      note: Annotation<string>(),
    })
    const build = (checkpointer: BaseCheckpointSaver) =>
      new StateGraph(State)
        .addNode('one', ({ note }) => ({ log: [`one ${note}`] }))
        .addNode('two', () => ({ log: ['two'] }))
        .addEdge(START, 'one')
        .addEdge('one', 'two')
        .addEdge('two', END)
        .compile({ checkpointer })
    const play = async (checkpointer: BaseCheckpointSaver) => {
      const graph = build(checkpointer)
      const config = { configurable: { thread_id: 'ada' } }
      await graph.invoke({ note: 'first' }, config)
      const history = await readAll(graph.getStateHistory(config))
      // Two forks of the same step, so that both write the same channels at the same versions.
      const middle = history.find(({ next }) => next.includes('two'))
      if (middle === undefined) throw new Error('no checkpoint before two')
      const left = await graph.updateState(middle.config, { log: ['left'] })
      const right = await graph.updateState(middle.config, { log: ['right'] })
      await graph.invoke(null, left)
      await graph.invoke(null, right)
      // A copy of the first checkpoint of all says of no channel that it has changed.
      const first = history.at(-1)
      if (first === undefined) throw new Error('no checkpoint')
      const copy = await graph.updateState(first.config, null, '__copy__')
      await graph.invoke(null, copy)
      const states = await readAll(graph.getStateHistory(config))
      return states.map(({ values, next, metadata }) => ({ values, next, metadata }))
    }
    const threads = new SessionRegistry<Thread>({ create: newThread })
    expect(await play(new SessionSaver({ source: threads }))).toEqual(await play(new MemorySaver()))
  })
})
