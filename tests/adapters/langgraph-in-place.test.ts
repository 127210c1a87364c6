import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { MemorySaver } from '@langchain/langgraph'
import {
  type BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointTuple,
  emptyCheckpoint,
} from '@langchain/langgraph-checkpoint'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread, threadCodec } from 'session-registry/langgraph'
import { describe, expect, it } from 'vitest'
import { checkpointOf, putOf } from '../support/checkpoints.ts'
import { deferred } from '../support/deferred.ts'
import fc from '../support/fast-check.ts'
import { readAll } from '../support/read-all.ts'

type Values = Readonly<Record<string, unknown>> & {
  readonly messages: BaseMessage[]
  readonly other: unknown
}

const valuesOf = (tuple: CheckpointTuple | undefined) => (tuple?.checkpoint.channel_values ?? {}) as Values

const Human = HumanMessage
const said = (n: number) => `${n}: ${'so it was said '.repeat(6)}`

interface Fields {
  content?: unknown
  name?: unknown
  id?: unknown
  map?: unknown
  extra?: { list: unknown[] }
  additional_kwargs?: object
  response_metadata?: object
  tool_calls?: unknown[]
  lc_kwargs?: object
}

/**
 * A class whose form depends on more than its own enumerable properties. It is stored by the name it has
 * here.
 */
const Counter = class HumanMessage extends Human {
  #count = 0
  override get lc_attributes() {
    return { count: this.#count }
  }
  increment(): void {
    this.#count += 1
  }
}

/** What a list gets: messages of all kinds, plain data, and what the serializer has forms of its own for. */
function elementOf(kind: number, n: number): unknown {
  switch (kind % 9) {
    case 0:
      return new AIMessage({ content: said(n), id: `ai ${n}`, tool_calls: [{ name: 'add', args: { n } }] })
    case 1:
      return new ToolMessage({ content: said(n), tool_call_id: `call ${n}`, artifact: { rows: [n, null] } })
    case 2:
      return { role: 'user', content: said(n), name: undefined, extra: { list: [n, 'b', { c: true }] } }
    case 3:
      return new HumanMessage({ content: [{ type: 'text', text: said(n) }], additional_kwargs: { when: n } })
    case 4:
      return { when: new Date(n), map: new Map([[n, new Set(['a'])]]), bytes: new Uint8Array([n % 256]) }
    case 5:
      return new Counter(said(n))
    case 6:
      return kind % 2 === 0 ? n : said(n)
    default:
      return new HumanMessage(said(n))
  }
}

/** Changes an element in place, at any depth. */
function changeInPlace(element: unknown, how: number, n: number): void {
  if (typeof element !== 'object' || element === null) return
  // LangChain's classes replace `instanceof`.
  if (Object.getPrototypeOf(element) === Counter.prototype)
    (element as InstanceType<typeof Counter>).increment()
  const fields = element as Fields
  const { extra } = fields
  switch (how % 7) {
    case 0:
      fields.content = said(n)
      break
    case 1:
      fields.additional_kwargs = Object.assign(fields.additional_kwargs ?? {}, { seen: n })
      break
    case 2:
      if (extra !== undefined) extra.list[n % 3] = n
      else fields.response_metadata = { tokens: { total: n } }
      break
    case 3:
      fields.id = `id ${n}`
      Object.assign(fields.lc_kwargs ?? {}, { id: fields.id })
      break
    case 4:
      if (fields.map instanceof Map) fields.map.set('more', n)
      else delete fields.name
      break
    case 5:
      fields.tool_calls?.push({ name: 'more', args: { n } })
      break
    default:
      // Another form of the same keys and values.
      if (extra !== undefined)
        fields.extra = Object.fromEntries(Object.entries(extra).toReversed()) as typeof extra
  }
}

interface Step {
  /** The checkpoint that it continues, and whether from what the saver returns of it or from live objects. */
  readonly on: number
  readonly isRead: boolean
  readonly changes: readonly { readonly op: number; readonly at: number; readonly kind: number }[]
  readonly isWritten: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  // Mostly the last one.
  on: fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat() }),
  isRead: fc.boolean(),
  changes: fc.array(fc.record({ op: fc.nat({ max: 12 }), at: fc.nat(), kind: fc.nat({ max: 99 }) }), {
    maxLength: 4,
  }),
  isWritten: fc.boolean(),
})

function changed(list: readonly unknown[], changes: Step['changes'], n: number): unknown[] {
  let next = [...list]
  for (const [index, { op, at, kind }] of changes.entries()) {
    const place = next.length === 0 ? 0 : at % next.length
    const number = 10 * n + index
    if (op < 5 || next.length === 0) next.push(elementOf(kind, number))
    else if (op < 8) changeInPlace(next[place], kind, number)
    else if (op === 8) next.splice(place, 1)
    else if (op === 9) next[place] = elementOf(kind, number)
    else if (op === 10) next.push(next[place])
    else if (op === 11) next.push(...next.splice(place, 1))
    else next = next.slice(0, place)
  }
  return next
}

/** Plays the steps on a saver. Its own live objects are changed in the same way as those of another saver. */
async function play(saver: BaseCheckpointSaver, steps: readonly Step[], afterStep: () => void) {
  const puts: { readonly config: object; readonly list: unknown[] }[] = []
  const seen: unknown[] = []
  for (const [index, { on, isRead, changes, isWritten }] of steps.entries()) {
    const parent = puts.at(on < 0 ? -1 : on % Math.max(puts.length, 1))
    const read = parent === undefined || !isRead ? undefined : await saver.getTuple(parent.config)
    const before = (read === undefined ? parent?.list : valuesOf(read).messages) ?? []
    const list = changed(before, changes, index + 1)
    const checkpoint: Checkpoint = {
      ...emptyCheckpoint(),
      ts: '2026-01-01T00:00:00.000Z',
      id: `${String(index).padStart(3, '0')}`,
      channel_values: { messages: list, other: [list.at(-1) ?? {}] },
      channel_versions: { messages: index + 1, other: index + 1 },
    }
    const base = parent?.config ?? { configurable: { thread_id: 'ada', checkpoint_ns: '' } }
    const metadata = { source: 'loop' as const, step: index, parents: {} }
    const config = await saver.put(base, checkpoint, metadata, checkpoint.channel_versions)
    if (isWritten)
      await saver.putWrites(
        config,
        [
          ['messages', list.slice(-2)],
          ['messages', list],
        ],
        'task',
      )
    puts.push({ config, list })
    afterStep()
    seen.push(formsOf(await saver.getTuple(config)))
  }
  const all = await readAll(saver.list({ configurable: { thread_id: 'ada' } }))
  return { seen, all: all.map(formsOf) }
}

/** Returns the values of a checkpoint as text, with the classes of the elements. */
function formsOf(tuple: CheckpointTuple | undefined): unknown {
  const { messages, other } = valuesOf(tuple)
  const classes = messages.map((one: unknown) => Object(one).constructor.name)
  return { messages, classes, other, writes: tuple?.pendingWrites }
}

describe('a list of live elements', () => {
  it('is stored as it is at each put, as the stock saver does: property, with changes in place', async () => {
    const steps = fc.array(step, { minLength: 2, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (all, isCopied) => {
        const threads = new SessionRegistry<Thread>({ create: newThread })
        const copy = () => {
          const thread = threads.get('ada')
          if (thread !== undefined) threads.set('ada', threadCodec.decode(threadCodec.encode(thread)))
        }
        const stock = await play(new MemorySaver(), all, () => {})
        const ours = await play(new SessionSaver({ source: threads }), all, isCopied ? copy : () => {})
        expect(ours).toEqual(stock)
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  const formOf = ({ content, id, additional_kwargs }: BaseMessage) => [content, id, additional_kwargs]

  it.each([
    ['its text', (message: BaseMessage) => Object.assign(message, { content: 'changed' })],
    ['a value deep in it', (message: BaseMessage) => Object.assign(message.additional_kwargs, { a: 1 })],
    ['a field less', (message: BaseMessage) => Object.assign(message, { id: undefined })],
  ])('stores a message in the middle that was changed in place: %s', async (_what, change) => {
    const saver = new SessionSaver({ source: new SessionRegistry<Thread>({ create: newThread }) })
    const messages = [1, 2, 3].map((n) => new HumanMessage({ content: said(n), id: `${n}` }))
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { messages }))
    const [, middle] = messages
    change(middle as BaseMessage)
    messages.push(new HumanMessage(said(4)))
    await putOf(saver, { thread_id: 'ada', checkpoint_id: '1' }, checkpointOf('2', { messages }, 2))
    const read = async (checkpoint_id: string) => {
      const tuple = await saver.getTuple({ configurable: { thread_id: 'ada', checkpoint_id } })
      return valuesOf(tuple).messages.map(formOf)
    }

    expect(await read('1')).toEqual([1, 2, 3].map((n) => [said(n), `${n}`, {}]))
    expect(await read('2')).toEqual(messages.map(formOf))
    expect(await read('2')).toHaveLength(4)
  })

  it('stores what is in it, although elements have the places and the lengths of those before', async () => {
    const saver = new SessionSaver({ source: new SessionRegistry<Thread>({ create: newThread }) })
    const [a, b, c, d] = [1, 2, 3, 4].map((n) => new HumanMessage(said(n)))
    const lists = [
      { one: [a, b], other: [c, d] },
      // Elements of another list, and in another order.
      { one: [c, d], other: [b, a] },
      { one: [c, b], other: [b, a, b] },
    ]
    for (const [index, values] of lists.entries()) {
      const parent = index === 0 ? {} : { checkpoint_id: `${index - 1}` }
      const checkpoint = checkpointOf(`${index}`, values, index)
      const config = await putOf(saver, { thread_id: 'ada', ...parent }, checkpoint)
      expect((await saver.getTuple(config))?.checkpoint.channel_values).toEqual(values)
    }
  })

  it('has the form that its class gives it', async () => {
    class Newest extends Array<unknown> {
      toJSON(): unknown[] {
        return this.slice(-1)
      }
    }
    const saver = new SessionSaver({ source: new SessionRegistry<Thread>({ create: newThread }) })
    const checkpoint = checkpointOf('1', { list: Newest.from([{ a: 1 }, { a: 2 }]) })
    const config = await putOf(saver, { thread_id: 'ada' }, checkpoint)

    expect((await saver.getTuple(config))?.checkpoint.channel_values).toEqual({ list: [{ a: 2 }] })
  })

  it('is a copy in both directions: a change of what was read or put changes nothing that is stored', async () => {
    const saver = new SessionSaver({ source: new SessionRegistry<Thread>({ create: newThread }) })
    const messages = [new HumanMessage(said(1))]
    const config = await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { messages }))
    const read = async () => {
      const tuple = await saver.getTuple(config)
      return valuesOf(tuple).messages
    }
    for (const list of [messages, await read(), await read()])
      Object.assign(list[0] ?? {}, { content: 'changed' })

    expect((await read())[0]?.content).toBe(said(1))
  })

  it('is stored as it was when it was put, although its write waits for a turn', async () => {
    const threads = new SessionRegistry<Thread>({ create: newThread })
    const saver = new SessionSaver({ source: threads })
    const messages = [new HumanMessage(said(1)), new HumanMessage(said(2))]
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { messages }))
    const { promise, resolve } = deferred()
    const turn = threads.run('ada', () => promise)
    const put = putOf(
      saver,
      { thread_id: 'ada', checkpoint_id: '1' },
      checkpointOf('2', { messages: [...messages] }, 2),
    )
    Object.assign(messages[0] ?? {}, { content: 'changed later' })
    resolve()
    await Promise.all([turn, put])
    const tuple = await saver.getTuple({ configurable: { thread_id: 'ada' } })
    expect(valuesOf(tuple).messages[0]?.content).toBe(said(1))

    await putOf(saver, { thread_id: 'ada', checkpoint_id: '2' }, checkpointOf('3', { messages }, 3))
    const next = await saver.getTuple({ configurable: { thread_id: 'ada' } })
    expect(valuesOf(next).messages[0]?.content).toBe('changed later')
  })
})
