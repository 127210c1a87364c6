import { Agent, type AgentInputItem, RunState, run, setTracingDisabled, tool } from '@openai/agents'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing'
import { SessionRegistry } from 'session-registry'
import { agentSession } from 'session-registry/openai-agents'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { EventRecorder } from '../support/event-recorder.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { TextSource } from '../support/text-source.ts'

setTracingDisabled(true)

const day = 24 * 60 * 60 * 1_000
const refused = sessionError('ERR_SESSION_VALUE_INVALID')

/** An agent that asks before it removes a file: it calls once, and says so when it has the result. */
function careful(...calls: ReturnType<typeof functionCall>[]) {
  const removed: string[] = []
  const remove = tool({
    name: 'remove',
    description: 'removes a file',
    parameters: z.object({ file: z.string() }),
    needsApproval: true,
    execute: async ({ file }) => {
      removed.push(file)
      return `removed ${file}`
    },
  })
  const look = tool({
    name: 'look',
    description: 'looks',
    parameters: z.object({}),
    execute: async () => 'nothing there',
  })
  const model = new ScriptedModel([
    calls.length > 0 ? calls : [functionCall('remove', { file: 'x' }, { callId: 'c1' })],
    [assistantMessage('Done.')],
    [assistantMessage('And on.')],
  ])
  return { removed, agent: new Agent({ name: 'careful', model, tools: [remove, look] }) }
}

function make(options?: { readonly pausedTimeoutMs?: number }) {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<AgentInputItem[]>({ clock, timeoutMs: 1_000, create: () => [] })
  const session = agentSession(sessions, 'a', options)
  const types = () => sessions.peek('a')?.value.map(({ type }) => type)
  return { clock, sessions, session, types, events: new EventRecorder<AgentInputItem[]>(sessions) }
}

describe('an agent that waits for an approval', () => {
  it('idle timeout: seven days, alive one millisecond before, expired exactly at it', async () => {
    const { clock, sessions, session, types } = make()
    await run(careful().agent, 'remove x', { session })
    expect(types()).toEqual(['message', 'function_call'])

    expect(sessions.peek('a')?.timeoutMs).toBe(7 * day)
    clock.advance(7 * day - 1)
    expect(sessions.has('a')).toBe(true)
    clock.advance(1)
    expect(sessions.has('a')).toBe(false)
  })

  it.each(['approve', 'reject'] as const)('resumes by `%s`, with its former timeout', async (decide) => {
    const { clock, sessions, session, types } = make({ pausedTimeoutMs: 5_000 })
    const { agent, removed } = careful()
    const { state, interruptions } = await run(agent, 'remove x', { session })
    expect(sessions.peek('a')?.timeoutMs).toBe(5_000)
    clock.advance(4_999)
    for (const one of interruptions) state[decide](one)
    await run(agent, state, { session })

    expect(removed).toEqual(decide === 'approve' ? ['x'] : [])
    expect(types()).toEqual(['message', 'function_call', 'function_call_result', 'message'])
    expect(sessions.peek('a')?.timeoutMs).toBe(1_000)
  })

  it('waits while one of several calls has no answer, whichever it is', async () => {
    for (const calls of [
      [functionCall('remove', { file: 'x' }, { callId: 'c1' }), functionCall('look', {}, { callId: 'c2' })],
      [functionCall('look', {}, { callId: 'c2' }), functionCall('remove', { file: 'x' }, { callId: 'c1' })],
    ]) {
      const { sessions, session } = make()
      const { agent } = careful(...calls)
      const { state, interruptions } = await run(agent, 'remove x', { session })
      expect(sessions.peek('a')?.timeoutMs).toBe(7 * day)
      for (const one of interruptions) state.approve(one)
      await run(agent, state, { session })
      expect(sessions.peek('a')?.timeoutMs).toBe(1_000)
    }
  })

  it('resumes by another question too, by `popItem` and by `clearSession`', async () => {
    const { sessions, session } = make()
    const { agent } = careful()
    const timeouts: (number | undefined)[] = []
    const note = () => timeouts.push(sessions.peek('a')?.timeoutMs)
    await run(agent, 'remove x', { session })
    await run(agent, 'no, keep it', { session })
    note()
    const call = { type: 'function_call', callId: 'c9', name: 'remove', arguments: '{}' } as const
    await session.addItems([call])
    note()
    await session.popItem()
    note()
    await session.addItems([call])
    note()
    await session.clearSession()
    note()

    expect(timeouts).toEqual([1_000, 7 * day, 1_000, 7 * day, 1_000])
  })

  it('its session’s own timeout is restored if it had one', async () => {
    const { sessions, session } = make()
    sessions.getOrCreate('a', () => [], { timeoutMs: 7_000 })
    const { agent } = careful()
    const { state, interruptions } = await run(agent, 'remove x', { session })
    for (const one of interruptions) state.approve(one)
    await run(agent, state, { session })

    expect(sessions.peek('a')?.timeoutMs).toBe(7_000)
  })

  it('waits in a source that stores text too', async () => {
    const source = new TextSource<AgentInputItem[]>({ encode: JSON.stringify, decode: JSON.parse }, () => [])
    const session = agentSession(source, 'a')
    const { agent } = careful()
    const { state, interruptions } = await run(agent, 'remove x', { session })
    expect(source.registry.peek('a')?.timeoutMs).toBe(7 * day)
    for (const one of interruptions) state.approve(one)
    await run(agent, state, { session })

    expect(source.registry.peek('a')?.timeoutMs).toBe(60_000)
  })
})

describe('an approval after the session has ended', () => {
  it.each(['at once', 'from a state that was stored'])(
    'is refused, and creates no session: %s',
    async (how) => {
      const { clock, sessions, session, events } = make()
      const { agent } = careful()
      const { state, interruptions } = await run(agent, 'remove x', { session })
      for (const one of interruptions) state.approve(one)
      const stored = await RunState.fromString(agent, state.toString())
      const kept = how === 'at once' ? state : (stored as typeof state)
      clock.advance(7 * day)
      expect(events.take()).toEqual(['created a', 'expired a idle', 'ended a idle'])
      const error = (await failureOf(() => run(agent, kept, { session }))) as Error

      expect(error).toEqual(refused)
      expect(error.message).toMatch(
        /^Expected the call that `items\[0\]` is the result of to be in the session/,
      )
      expect(events.take()).toEqual([])
      expect(sessions.size).toBe(0)
    },
  )

  it('is refused by a session that was created anew, which stays unchanged', async () => {
    const { session, types } = make()
    await session.addItems([{ role: 'user', content: 'hello' }])
    const result = {
      type: 'function_call_result',
      name: 'remove',
      callId: 'c1',
      status: 'completed',
      output: 'removed',
    } as const
    const items: AgentInputItem[] = [{ role: 'user', content: 'and' }, result]

    expect(await failureOf(() => session.addItems(items))).toEqual(refused)
    expect(types()).toEqual([undefined])
  })

  it.each<[what: string, call: object, result: object]>([
    ['a function', { type: 'function_call', callId: '1' }, { type: 'function_call_result', callId: '1' }],
    ['a computer', { type: 'computer_call', callId: '1' }, { type: 'computer_call_result', callId: '1' }],
    ['a shell', { type: 'shell_call', callId: '1' }, { type: 'shell_call_output', callId: '1' }],
    ['a patch', { type: 'apply_patch_call', callId: '1' }, { type: 'apply_patch_call_output', callId: '1' }],
    [
      'an MCP server',
      { type: 'hosted_tool_call', name: 'mcp_approval_request', providerData: { id: '1' } },
      { type: 'hosted_tool_call', name: 'mcp_approval_response', providerData: { approval_request_id: '1' } },
    ],
  ])('is matched by the call of %s', async (_what, call, result) => {
    const { sessions, session } = make()
    const items = [call, result] as unknown as AgentInputItem[]
    expect(await failureOf(() => session.addItems(items.slice(1)))).toEqual(refused)
    expect(await failureOf(() => session.addItems(items.toReversed()))).toEqual(refused)
    await session.addItems(items.slice(0, 1))
    expect(sessions.peek('a')?.timeoutMs).toBe(7 * day)
    await session.addItems(items.slice(1))
    expect(sessions.peek('a')?.timeoutMs).toBe(1_000)
    await session.clearSession()
    await session.addItems(items)
    expect(sessions.peek('a')?.timeoutMs).toBe(1_000)
  })

  it('is accepted if a compaction may contain the call', async () => {
    const { session, types } = make()
    const compaction = { type: 'compaction', encrypted_content: 'x' } as AgentInputItem
    const result = { type: 'function_call_result', callId: 'c1' } as AgentInputItem
    await session.replaceHistoryWithCompaction?.([compaction])
    await session.addItems([result])

    expect(types()).toEqual(['compaction', 'function_call_result'])
  })

  it('is not awaited for calls that the provider answers itself, and items without an id', async () => {
    const { sessions, session } = make()
    const items = [
      { type: 'hosted_tool_call', name: 'web_search', id: '1' },
      { type: 'hosted_tool_call', name: 'x', providerData: null },
      { type: 'function_call' },
      { type: 'function_call_result' },
    ] as AgentInputItem[]
    await session.addItems(items)

    expect(sessions.peek('a')?.timeoutMs).toBe(1_000)
  })
})

describe('the items of an agent', () => {
  it('keep what JSON keeps of the output of a tool', async () => {
    const { session } = make()
    const output = { price: { toJSON: () => '2.5' }, at: new Date(0), save: () => {}, count: 2n }
    const call = { type: 'function_call', callId: '1', name: 'look', arguments: '{}' } as const
    const result = { type: 'function_call_result', callId: '1', name: 'look', status: 'completed', output }
    await session.addItems([call, result as unknown as AgentInputItem])

    expect((await session.getItems()).at(-1)).toEqual({
      ...result,
      output: { price: '2.5', at: '1970-01-01T00:00:00.000Z', count: '2' },
    })
  })

  it('drop functions elsewhere, and keep bytes', async () => {
    const { session } = make()
    const providerData = { own: () => {}, bytes: new Uint8Array([1]) }
    await session.addItems([{ role: 'user', content: 'hello', providerData }])

    expect(await session.getItems()).toEqual([
      { role: 'user', content: 'hello', providerData: { bytes: new Uint8Array([1]) } },
    ])
  })
})

describe('the options of an agent session and of a chat store', () => {
  it.each([[0], [-1], [Number.NaN], [null], ['7 days']])('refuse %j as `pausedTimeoutMs`', async (wrong) => {
    const { sessions } = make()
    const options = { pausedTimeoutMs: wrong as number }
    const error = (await failureOf(async () => agentSession(sessions, 'a', options))) as Error
    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toMatch(/^Expected `pausedTimeoutMs` to be a positive number or Infinity, got /)
  })

  it('accept `undefined` for the default, and `Infinity` for never', async () => {
    const { sessions } = make()
    const call = { type: 'function_call', callId: '1', name: 'look', arguments: '{}' } as const
    await agentSession(sessions, 'a', { pausedTimeoutMs: undefined }).addItems([call])
    expect(sessions.peek('a')?.timeoutMs).toBe(7 * day)
    await agentSession(sessions, 'b', { pausedTimeoutMs: Number.POSITIVE_INFINITY }).addItems([call])
    expect(sessions.peek('b')?.timeoutMs).toBe(Number.POSITIVE_INFINITY)
  })
})
