import { BaseCheckpointSaver, JsonPlusSerializer } from '@langchain/langgraph-checkpoint'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { checkpointOf, putOf } from '../support/checkpoints.ts'
import { deferred } from '../support/deferred.ts'
import { EventRecorder } from '../support/event-recorder.ts'
import { ObservedPromise } from '../support/observed-promise.ts'
import { readAll } from '../support/read-all.ts'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'

const ada = { configurable: { thread_id: 'ada' } }

function setUp(options: SessionRegistryOptions<Thread> = {}) {
  const clock = new ManualClock()
  const threads = new SessionRegistry<Thread>({ clock, timeoutMs: 1_000, create: newThread, ...options })
  return {
    clock,
    threads,
    events: new EventRecorder<Thread>(threads),
    saver: new SessionSaver({ source: threads }),
  }
}

describe('a thread is a session', () => {
  it('starts at its first `put`, and ends by `deleteThread`', async () => {
    const { saver, events } = setUp()
    expect(saver).toBeInstanceOf(BaseCheckpointSaver)
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
    await saver.deleteThread('ada')
    expect(events.take()).toEqual(['created ada', 'ended ada deleted'])
    expect(await saver.getTuple(ada)).toBeUndefined()
  })

  it('expires when idle; a read is activity, listing all threads is not', async () => {
    const { saver, clock, threads } = setUp()
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
    clock.advance(900)
    expect(await saver.getTuple(ada)).toBeDefined()
    clock.advance(999)
    expect(await readAll(saver.list({}))).toHaveLength(1)
    expect(threads.has('ada')).toBe(true)
    clock.advance(1)
    expect(await readAll(saver.list({}))).toEqual([])
    expect(await saver.getTuple(ada)).toBeUndefined()
  })

  it('`list` of its own is activity', async () => {
    const { saver, clock, threads } = setUp()
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
    clock.advance(900)
    expect(await readAll(saver.list(ada))).toHaveLength(1)
    clock.advance(999)
    expect(threads.has('ada')).toBe(true)
  })

  it('no read creates one', async () => {
    const { saver, threads } = setUp()
    expect(await saver.getTuple(ada)).toBeUndefined()
    expect(await saver.get(ada)).toBeUndefined()
    expect(await readAll(saver.list(ada))).toEqual([])
    expect(threads.size).toBe(0)
  })

  it('a `put` after its end starts a new one, with the whole checkpoint since the parent is gone', async () => {
    const { saver, clock, events } = setUp()
    const first = checkpointOf('1', { a: 'kept', b: 'old' })
    await putOf(saver, { thread_id: 'ada' }, first)
    clock.advance(1_000)
    const second = checkpointOf('2', { a: 'kept', b: 'new' }, 2)
    await putOf(saver, { thread_id: 'ada', checkpoint_id: '1' }, second, ['b'])
    expect(events.take()).toEqual(['created ada', 'expired ada idle', 'ended ada idle', 'created ada'])
    const tuple = await saver.getTuple(ada)
    expect(tuple?.checkpoint.channel_values).toEqual({ a: 'kept', b: 'new' })
    expect(tuple?.parentConfig?.configurable).toMatchObject({ checkpoint_id: '1' })
    expect(await readAll(saver.list(ada))).toHaveLength(1)
  })

  it('many can be listed, with one limit for all', async () => {
    const { saver } = setUp()
    for (const thread_id of ['ada', 'bob', 'eve']) {
      await putOf(saver, { thread_id }, checkpointOf('1', { a: thread_id }))
      await putOf(saver, { thread_id, checkpoint_id: '1' }, checkpointOf('2', { a: thread_id }))
    }
    const all = await readAll(saver.list({}))
    expect(all.map(({ checkpoint }) => checkpoint.channel_values)).toEqual(
      ['ada', 'bob', 'eve'].flatMap((a) => [{ a }, { a }]),
    )
    expect(await readAll(saver.list({}, { limit: 3 }))).toHaveLength(3)
    expect(await readAll(saver.list({}, { limit: 0 }))).toEqual([])
  })
})

describe('a saver and turns', () => {
  it('joins the turn that contains it', async () => {
    const { saver, threads } = setUp()
    await threads.run('ada', async ({ value }) => {
      const config = await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
      await saver.putWrites(config, [['a', 2]], 'task')
      expect(value.namespaces.get('')?.newestId).toBe('1')
      expect((await saver.getTuple(ada))?.pendingWrites).toEqual([['task', 'a', 2]])
    })
  })

  it('writes from outside after the turn, and reads without waiting', async () => {
    const { saver, threads } = setUp()
    const gate = deferred()
    const turn = threads.run('ada', async () => {
      await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
      await gate.promise
    })
    await settle()
    const put = new ObservedPromise(putOf(saver, { thread_id: 'ada' }, checkpointOf('2', { a: 2 })))
    const writes = new ObservedPromise(
      saver.putWrites({ configurable: { thread_id: 'ada', checkpoint_id: '1' } }, [['a', 2]], 'task'),
    )
    await settle()
    expect([put.state, writes.state]).toEqual(['pending', 'pending'])
    expect((await saver.getTuple(ada))?.checkpoint.id).toBe('1')
    expect(await readAll(saver.list(ada))).toHaveLength(1)
    gate.resolve()
    await turn
    await Promise.all([put.settled, writes.settled])
    expect((await saver.getTuple(ada))?.checkpoint.id).toBe('2')
  })

  it('stores values as of the call, whatever the graph does to them while the write waits', async () => {
    const { saver, threads } = setUp()
    const gate = deferred()
    const turn = threads.run('ada', () => gate.promise)
    const list = ['before']
    const put = putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { list }))
    list.push('after')
    gate.resolve()
    await Promise.all([turn, put])
    expect((await saver.getTuple(ada))?.checkpoint.channel_values).toEqual({ list: ['before'] })
  })

  it('stores nothing of a checkpoint that cannot be serialised', async () => {
    const { threads } = setUp()
    const serde = new JsonPlusSerializer()
    serde.dumpsTyped = async () => {
      throw new Error('no')
    }
    const saver = new SessionSaver({ source: threads, serde })
    const put = () => putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
    expect(await failureOf(put)).toEqual(new Error('no'))
    expect(threads.size).toBe(0)
  })
})

describe('the stored checkpoints of a thread', () => {
  it('contain a channel once, however many checkpoints have it unchanged', async () => {
    const { saver, threads } = setUp()
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { big: 'x'.repeat(1_000), n: 1 }))
    for (let n = 2; n <= 10; n += 1) {
      const checkpoint = checkpointOf(`${n}`.padStart(2, '0'), { big: 'x'.repeat(1_000), n })
      Object.assign(checkpoint.channel_versions, { n })
      const parent = n === 2 ? '1' : `${n - 1}`.padStart(2, '0')
      await putOf(saver, { thread_id: 'ada', checkpoint_id: parent }, checkpoint, ['n'])
    }
    const stored = [...(threads.get('ada')?.namespaces.get('')?.checkpoints.values() ?? [])]
    expect(new Set(stored.map(({ channels }) => channels.find(({ name }) => name === 'big'))).size).toBe(1)
    expect(new Set(stored.map(({ channels }) => channels.find(({ name }) => name === 'n'))).size).toBe(10)
  })

  it('share nothing with the caller: bytes are copied in and out', async () => {
    const { saver } = setUp()
    const bytes = new Uint8Array([1, 2, 3])
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { bytes }))
    bytes[0] = 9
    for (let time = 1; time <= 2; time += 1) {
      const values = (await saver.getTuple(ada))?.checkpoint.channel_values as { bytes: Uint8Array }
      expect(values).toEqual({ bytes: new Uint8Array([1, 2, 3]) })
      values.bytes[0] = 9
    }
  })

  it('accept writes before the checkpoint that they belong to', async () => {
    const { saver } = setUp()
    const config = { configurable: { thread_id: 'ada', checkpoint_id: '1' } }
    await saver.putWrites(config, [['a', 1]], 'task')
    expect(await saver.getTuple(ada)).toBeUndefined()
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
    expect((await saver.getTuple(ada))?.pendingWrites).toEqual([['task', 'a', 1]])
  })

  it('keep the first of a repeated write, and the last of an error, an interrupt or a resume', async () => {
    const { saver } = setUp()
    const config = await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
    await saver.putWrites(config, [['a', 'first']], 'task')
    await saver.putWrites(config, [['a', 'again']], 'task')
    await saver.putWrites(config, [['__interrupt__', 'first']], 'task')
    await saver.putWrites(config, [['__interrupt__', 'last']], 'task')
    expect((await saver.getTuple(ada))?.pendingWrites).toEqual([
      ['task', '__interrupt__', 'last'],
      ['task', 'a', 'first'],
    ])
  })

  it('are found by `thread_ts`, the former name of `checkpoint_id`', async () => {
    const { saver } = setUp()
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
    await putOf(saver, { thread_id: 'ada', checkpoint_id: '1' }, checkpointOf('2', { a: 2 }))
    const tuple = await saver.getTuple({ configurable: { thread_id: 'ada', thread_ts: '1' } })
    expect(tuple?.checkpoint.channel_values).toEqual({ a: 1 })
  })
})

describe('invalid input to a saver', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty string', ''],
    ['NaN', Number.NaN],
    ['a fraction', 7.5],
    ['an integer that has neighbours of the same number', 2 ** 53],
  ])('refuses %s as a thread id in writes', async (_name, thread_id) => {
    const { saver, threads } = setUp()
    const configurable = { thread_id, checkpoint_id: '1' }
    const expected = sessionError('ERR_SESSION_ID_INVALID')
    const put = () => putOf(saver, configurable as never, checkpointOf('1', { a: 1 }))
    expect(await failureOf(put)).toEqual(expected)
    expect(await failureOf(() => saver.putWrites({ configurable }, [['a', 1]], 'task'))).toEqual(expected)
    expect(await failureOf(() => saver.deleteThread(thread_id as never))).toEqual(expected)
    expect(threads.size).toBe(0)
  })

  it('without a thread id, reads nothing; an empty one is refused', async () => {
    const { saver } = setUp()
    expect(await saver.getTuple({})).toBeUndefined()
    expect(await saver.getTuple({ configurable: {} })).toBeUndefined()
    const empty = { configurable: { thread_id: '' } }
    expect(await failureOf(() => saver.getTuple(empty))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    expect(await failureOf(() => readAll(saver.list(empty)))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
  })

  it('names where it looked for a thread id', async () => {
    const { saver } = setUp()
    const configurable = { checkpoint_id: '1' }
    for (const call of [
      () => putOf(saver, configurable as never, checkpointOf('1', { a: 1 })),
      () => saver.putWrites({ configurable }, [['a', 1]], 'task'),
      () => readAll(saver.list({ configurable: { thread_id: '' } })),
    ]) {
      const error = (await failureOf(call)) as Error
      expect(error.message).toMatch(/^Expected the session id in `configurable\.thread_id` to be /)
    }
  })

  it.each([[7], [653247040368672768n]])('converts %s to its string', async (thread_id) => {
    const { saver, threads } = setUp()
    const id = `${thread_id}`
    const config = await putOf(saver, { thread_id }, checkpointOf('1', { a: 1 }))
    expect(config.configurable).toEqual({ thread_id: id, checkpoint_ns: '', checkpoint_id: '1' })
    expect(threads.has(id)).toBe(true)
    expect(await saver.getTuple({ configurable: { thread_id } })).toBeDefined()
    expect(await readAll(saver.list({ configurable: { thread_id } }))).toHaveLength(1)
    await saver.deleteThread(thread_id as never)
    expect(threads.size).toBe(0)
  })

  it('accepts ids, namespaces and channels that are unusual property names', async () => {
    const { saver } = setUp()
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const configurable = { thread_id: name, checkpoint_ns: name }
      const values = Object.fromEntries([[name, 1]])
      const config = await putOf(saver, configurable, checkpointOf(name, values))
      await saver.putWrites(config, [[name, 2]], name)
      const tuple = await saver.getTuple({ configurable })
      expect(tuple?.checkpoint.channel_values).toEqual(values)
      expect(tuple?.pendingWrites).toEqual([[name, name, 2]])
    }
    expect(Object.getPrototypeOf({})).toBe(Object.prototype)
  })

  it.each([
    ['no options', undefined, 'source'],
    ['no source', {}, 'source'],
    ['a source that is none', { source: {} }, 'source'],
    ['an unknown option', { source: setUp().threads, ttl: 1 }, 'ttl'],
    ['a pause of 0', { source: setUp().threads, pausedTimeoutMs: 0 }, 'pausedTimeoutMs'],
    ['a pause of NaN', { source: setUp().threads, pausedTimeoutMs: Number.NaN }, 'pausedTimeoutMs'],
    ['a pause of null', { source: setUp().threads, pausedTimeoutMs: null }, 'pausedTimeoutMs'],
  ])('refuses %s', (_name, options, named) => {
    const error = thrownBy(() => new SessionSaver(options as never)) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toContain(`\`${named}\``)
  })
})
