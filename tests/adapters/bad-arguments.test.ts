import type { BaseMessage } from '@langchain/core/messages'
import { RunnableLambda } from '@langchain/core/runnables'
import type { AgentInputItem } from '@openai/agents'
import type { UIMessage } from 'ai'
import { SessionRegistry } from 'session-registry'
import { chatStore } from 'session-registry/ai-sdk'
import { agentSessionStore } from 'session-registry/claude-agent'
import { registryStore } from 'session-registry/express-session'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { messageHistories, withSessionTurns } from 'session-registry/langchain'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'
import { mcpTransports, stateHandles } from 'session-registry/mcp'
import { agentSession } from 'session-registry/openai-agents'
import { conversationStore } from 'session-registry/slack'
import { describe, expect, it } from 'vitest'
import { checkpointOf } from '../support/checkpoints.ts'
import { readAll } from '../support/read-all.ts'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'

const invalid = sessionError('ERR_SESSION_OPTION_INVALID')

/** What stands in the place of an object by mistake, with the words for it. */
const noObjects = [
  [undefined, 'undefined'],
  [null, 'null'],
  [7, 'a number'],
  ['secret', 'a string'],
  [[], 'an array'],
  [() => {}, 'a function'],
] as const

const notOurs = [...noObjects, [{}, 'an object'], [new Map(), 'an object']] as const

const registry = new SessionRegistry<BaseMessage[]>({ create: () => [] })
const runnable = RunnableLambda.from<string, string>((input) => input)

describe.each<[name: string, make: (source: never) => unknown]>([
  ['messageHistories', messageHistories],
  ['withSessionTurns', (source) => withSessionTurns(source, runnable)],
  ['agentSession', (source: never) => agentSession(source, 'ada')],
  ['chatStore', chatStore],
  ['agentSessionStore', agentSessionStore],
  ['registryStore', registryStore],
  ['sessionStorage', sessionStorage],
  ['conversationStore', conversationStore],
  ['sessionTurns', sessionTurns],
  ['SessionSaver', (source) => new SessionSaver({ source })],
  ['stateHandles', (source) => stateHandles(source, { prefix: 'basket_', argument: 'basket_id' })],
])('%s', (_name, make) => {
  it.each(notOurs)('refuses %s as its source at once, and names the kind of thing', (source, kind) => {
    const error = thrownBy(() => make(source as never)) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toBe(`Expected \`source\` to be a session registry, got ${kind}`)
  })
})

describe('withSessionTurns', () => {
  it.each([...notOurs, [registry, 'an object'] as const])(
    'refuses %s as its runnable at once',
    (wrong, kind) => {
      const error = thrownBy(() => withSessionTurns(registry, wrong as never)) as Error

      expect(error).toEqual(invalid)
      expect(error.message).toBe(`Expected \`runnable\` to be a LangChain runnable, got ${kind}`)
    },
  )
})

describe('agentSession', () => {
  it('shows no id if its arguments are in the wrong order', () => {
    const sessions = new SessionRegistry<AgentInputItem[]>({ create: () => [] })
    const error = thrownBy(() => agentSession('secret' as never, sessions as never)) as Error

    expect(error).toEqual(invalid)
    expect(error.message).not.toContain('secret')
  })
})

describe('stateHandles', () => {
  const make = (options: object) =>
    stateHandles(new SessionRegistry<string[]>(), { prefix: 'a_', argument: 'a', ...options })

  it.each([
    ['prefix', undefined, 'a string of 1 to 64 visible ASCII characters, got undefined'],
    ['prefix', '', 'a string of 1 to 64 visible ASCII characters, got an empty string'],
    ['prefix', 'a basket', 'a string of 1 to 64 visible ASCII characters, got a string'],
    ['prefix', 'a'.repeat(65), 'a string of 1 to 64 visible ASCII characters, got a string'],
    ['argument', undefined, 'a non-empty string, got undefined'],
    ['argument', ['secret'], 'a non-empty string, got an array'],
    ['owner', 'secret', 'a function, got a string'],
    ['owner', null, 'a function, got null'],
  ])('refuses a `%s` of %j', (name, wrong, rule) => {
    const error = thrownBy(() => make({ [name]: wrong })) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toBe(`Expected \`${name}\` to be ${rule}`)
  })

  it.each(noObjects.slice(1, 4))('refuses %s as a callback when the tool is made', (wrong, kind) => {
    const { create, use } = make({})
    for (const call of [() => create(wrong as never), () => use(wrong as never)]) {
      const error = thrownBy(call) as Error
      expect(error).toEqual(invalid)
      expect(error.message).toBe(`Expected \`callback\` to be a function, got ${kind}`)
    }
  })

  it('refuses an owner that is no string, as an error of the tool', async () => {
    const { create } = make({ owner: () => 7 })
    expect(await failureOf(() => create()({}))).toEqual(invalid)
  })
})

describe('mcpTransports', () => {
  it.each([
    ['timeoutMs', undefined, 'a positive number or Infinity, got undefined'],
    ['timeoutMs', 0, 'a positive number or Infinity, got 0 (number)'],
    ['maxSessions', 0.5, 'an integer of at least 1 or Infinity, got 0.5 (number)'],
    ['server', undefined, 'a function, got undefined'],
    ['transport', {}, 'a function, got an object'],
    ['owner', 'secret', 'a function, got a string'],
  ])('refuses a `%s` of %j', (name, wrong, rule) => {
    const options = { timeoutMs: 1_000, server: () => {}, transport: () => {}, [name]: wrong }
    const error = thrownBy(() => mcpTransports(options as never)) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toBe(`Expected \`${name}\` to be ${rule}`)
  })
})

describe('saveChat', () => {
  it.each(noObjects)('refuses %s as its chat', async (chat, kind) => {
    const sessions = new SessionRegistry<UIMessage[]>({ create: () => [] })
    const error = (await failureOf(() => chatStore(sessions).saveChat(chat as never))) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toBe(`Expected \`chat\` to be an object, got ${kind}`)
    expect(sessions.size).toBe(0)
  })

  it('names the places of an id', async () => {
    const sessions = new SessionRegistry<UIMessage[]>({ create: () => [] })
    const error = (await failureOf(() => chatStore(sessions).saveChat({ messages: [] } as never))) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    expect(error.message).toMatch(/^Expected the session id in `chatId` to be /)
  })
})

describe('a saver', () => {
  const config = { configurable: { thread_id: 'ada', checkpoint_id: '1' } }
  const metadata = { source: 'loop', step: 0, parents: {} } as const

  function setUp() {
    const threads = new SessionRegistry<Thread>({ create: newThread })
    const saver = new SessionSaver({ source: threads })
    const put = (...given: unknown[]) => saver.put(...(given as Parameters<SessionSaver['put']>))
    const putWrites = (...given: unknown[]) =>
      saver.putWrites(...(given as Parameters<SessionSaver['putWrites']>))
    return { threads, saver, put, putWrites }
  }

  it.each(noObjects.slice(1))(
    'refuses %s as its serializer, instead of failing at the first write',
    (serde) => {
      const make = () => new SessionSaver({ source: setUp().threads, serde: serde as never })
      expect(thrownBy(make)).toEqual(invalid)
    },
  )

  it('refuses an incomplete serializer', () => {
    const serde = { dumpsTyped: async () => ['json', new Uint8Array()] }
    const error = thrownBy(() => new SessionSaver({ source: setUp().threads, serde: serde as never }))
    expect((error as Error).message).toBe('Expected `serde.loadsTyped` to be a function, got undefined')
  })

  it.each(noObjects)('refuses %s as a config, in reads and in writes', async (wrong, kind) => {
    const { threads, saver, put, putWrites } = setUp()
    for (const call of [
      () => saver.getTuple(wrong as never),
      () => readAll(saver.list(wrong as never)),
      () => put(wrong, checkpointOf('1', {}), metadata, {}),
      () => putWrites(wrong, [['a', 1]], 'task'),
    ]) {
      const error = (await failureOf(call)) as Error
      expect(error).toEqual(invalid)
      expect(error.message).toBe(`Expected \`config\` to be an object, got ${kind}`)
    }
    expect(threads.size).toBe(0)
  })

  it('refuses a `configurable` that is not an object', async () => {
    const { saver } = setUp()
    const error = (await failureOf(() => saver.getTuple({ configurable: 'secret' as never }))) as Error
    expect(error.message).toBe('Expected `config.configurable` to be an object, got a string')
  })

  it.each([
    ['checkpoint_ns', 7, 'a number'],
    ['checkpoint_ns', {}, 'an object'],
    ['checkpoint_id', 7, 'a number'],
    ['checkpoint_id', ['secret'], 'an array'],
  ])('refuses a `%s` of %j, in reads and in writes', async (key, wrong, kind) => {
    const { threads, saver, put, putWrites } = setUp()
    const config = { configurable: { thread_id: 'ada', checkpoint_id: '1', [key]: wrong } }
    for (const call of [
      () => saver.getTuple(config),
      () => put(config, checkpointOf('1', {}), metadata, {}),
      () => putWrites(config, [['a', 1]], 'task'),
    ]) {
      const error = (await failureOf(call)) as Error
      expect(error).toEqual(invalid)
      expect(error.message).toBe(`Expected \`config.configurable.${key}\` to be a string, got ${kind}`)
    }
    expect(threads.size).toBe(0)
  })

  it('accepts null for the namespace of the graph itself', async () => {
    const { saver, put } = setUp()
    const config = { configurable: { thread_id: 'ada', checkpoint_ns: null } }
    await put(config, checkpointOf('1', { a: 1 }), metadata, { a: 1 })

    expect((await saver.getTuple({ configurable: { thread_id: 'ada' } }))?.checkpoint.id).toBe('1')
    expect(await readAll(saver.list(config as never))).toHaveLength(1)
  })

  it('accepts null for the options of `list`, as LangGraph’s savers do, and refuses a number', async () => {
    const { saver } = setUp()
    expect(await readAll(saver.list(config, null as never))).toEqual([])
    expect(await failureOf(() => readAll(saver.list(config, 7 as never)))).toEqual(invalid)
  })

  const fine = checkpointOf('2', { a: 1 })

  it.each<[what: string, named: string, given: unknown[]]>([
    ['no checkpoint', 'checkpoint', [undefined, metadata, {}]],
    ['null for a checkpoint', 'checkpoint', [null, metadata, {}]],
    ['a checkpoint without an id', 'checkpoint.id', [{ ...fine, id: undefined }, metadata, {}]],
    ['one without values', 'checkpoint.channel_values', [{ id: '2' }, metadata, {}]],
    ['one without versions', 'checkpoint.channel_versions', [{ ...fine, channel_versions: 1 }, metadata, {}]],
    ['no metadata', 'metadata', [fine, undefined, {}]],
    ['no versions of what is new', 'newVersions', [fine, metadata]],
  ])('refuses to put %s, and creates no thread for it', async (_what, named, given) => {
    const { threads, put } = setUp()
    const error = (await failureOf(() => put({ configurable: { thread_id: 'ada' } }, ...given))) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toContain(`\`${named}\``)
    expect(threads.size).toBe(0)
  })

  it.each<[what: string, named: string, given: unknown[]]>([
    ['no writes', 'writes', [undefined, 'task']],
    ['an object of writes', 'writes', [{ a: 1 }, 'task']],
    ['a write that is no pair', 'writes', [['a'], 'task']],
    ['a write to no channel', 'writes', [[[7, 1]], 'task']],
    ['no task', 'taskId', [[['a', 1]], undefined]],
    ['a number as a task', 'taskId', [[['a', 1]], 7]],
    ['null as the path of a task', 'taskPath', [[['a', 1]], 'task', null]],
  ])('refuses to put %s, and creates no thread for it', async (_what, named, given) => {
    const { threads, putWrites } = setUp()
    const error = (await failureOf(() => putWrites(config, ...given))) as Error

    expect(error).toEqual(invalid)
    expect(error.message).toContain(`\`${named}\``)
    expect(threads.size).toBe(0)
  })
})
