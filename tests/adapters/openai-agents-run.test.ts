import {
  Agent,
  type AgentInputItem,
  MemorySession,
  OpenAIResponsesCompactionSession,
  OutputGuardrailTripwireTriggered,
  run,
  type Session,
  setTracingDisabled,
  tool,
} from '@openai/agents'
import { assistantMessage, functionCall, modelError, ScriptedModel } from '@openai/agents/testing'
import { SessionRegistry } from 'session-registry'
import { agentSession } from 'session-registry/openai-agents'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { deferred } from '../support/deferred.ts'
import { failureOf } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { echoAgent, lines } from './echo-agent.ts'

setTracingDisabled(true)

const timeoutMs = 60_000

function make() {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<AgentInputItem[]>({ clock, timeoutMs, create: () => [] })
  const stored = () => lines(sessions.peek('a')?.value ?? [])
  return { clock, sessions, session: agentSession(sessions, 'a'), stored }
}

describe('OpenAI Agents over the registry', () => {
  it('passes the history of earlier runs to each run', async () => {
    const { session, stored } = make()
    const agent = echoAgent()
    const first = await run(agent, 'one', { session })
    const second = await run(agent, 'two', { session })

    expect([first.finalOutput, second.finalOutput]).toEqual(['one? I see 1', 'two? I see 3'])
    expect(stored()).toEqual(['user: one', 'assistant: one? I see 1', 'user: two', 'assistant: two? I see 3'])
  })

  it('stores a run with its tool calls as a whole', async () => {
    const { session, sessions } = make()
    const weather = tool({
      name: 'weather',
      description: 'says what the weather is',
      parameters: z.object({ city: z.string() }),
      execute: async ({ city }) => `sunny in ${city}`,
    })
    const model = new ScriptedModel([
      [functionCall('weather', { city: 'Oslo' }, { callId: 'c1' })],
      [assistantMessage('It is sunny.')],
    ])
    await run(new Agent({ name: 'forecast', model, tools: [weather] }), 'Oslo?', { session })

    expect(sessions.get('a')?.map((item) => item.type)).toEqual([
      'message',
      'function_call',
      'function_call_result',
      'message',
    ])
    model.assertComplete()
  })

  it('two concurrent runs in turns see each other, where those of the stock session do not', async () => {
    async function twoAtOnce(session: Session, turn: (work: () => Promise<unknown>) => Promise<unknown>) {
      const slow = deferred()
      const agent = echoAgent({ slow: slow.promise })
      const first = turn(() => run(agent, 'slow', { session }))
      await settle()
      const second = turn(() => run(agent, 'fast', { session }))
      await settle()
      slow.resolve()
      await Promise.all([first, second])
      return lines(await session.getItems())
    }
    const { sessions, session } = make()

    expect(await twoAtOnce(new MemorySession(), (work) => work())).toEqual([
      'user: fast',
      'assistant: fast? I see 1',
      'user: slow',
      'assistant: slow? I see 1',
    ])
    expect(await twoAtOnce(session, (work) => sessions.run('a', work))).toEqual([
      'user: slow',
      'assistant: slow? I see 1',
      'user: fast',
      'assistant: fast? I see 3',
    ])
  })

  it('keeps runs whole outside turns too', async () => {
    const { session, stored } = make()
    const slow = deferred()
    const agent = echoAgent({ slow: slow.promise })
    const first = run(agent, 'slow', { session })
    await settle()
    await run(agent, 'fast', { session })
    slow.resolve()
    await first

    expect(stored()).toEqual([
      'user: fast',
      'assistant: fast? I see 1',
      'user: slow',
      'assistant: slow? I see 1',
    ])
  })

  it('stream: the turn lasts until the run is complete', async () => {
    const { sessions, session, stored } = make()
    const agent = echoAgent()
    const stream = (question: string) =>
      sessions.run('a', async () => {
        const result = await run(agent, question, { session, stream: true })
        let text = ''
        for await (const chunk of result.toTextStream()) text += chunk
        await result.completed
        return text
      })

    expect(await Promise.all([stream('one'), stream('two')])).toEqual(['one? I see 1', 'two? I see 3'])
    expect(stored()).toEqual(['user: one', 'assistant: one? I see 1', 'user: two', 'assistant: two? I see 3'])
  })

  it('stream with a reader outside the turn: the turn does not wait for it endlessly', async () => {
    const { sessions, session, stored } = make()
    const agent = echoAgent()
    const handedOut = deferred<ReadableStream<string>>()
    const turn = sessions.run('a', async () => {
      const result = await run(agent, 'one', { session, stream: true })
      handedOut.resolve(result.toTextStream() as ReadableStream<string>)
      await result.completed
    })
    let text = ''
    for await (const chunk of await handedOut.promise) text += chunk
    await turn

    expect(text).toBe('one? I see 1')
    expect(stored()).toEqual(['user: one', 'assistant: one? I see 1'])
  })

  it('stores nothing of a run whose model throws, and the session lives on', async () => {
    const { sessions, session, stored } = make()
    await run(echoAgent(), 'before', { session })
    const overloaded = new Error('the model is overloaded')
    const agent = new Agent({ name: 'broken', model: new ScriptedModel([modelError(overloaded)]) })

    expect(await failureOf(() => sessions.run('a', () => run(agent, 'lost', { session })))).toBe(overloaded)
    expect(stored()).toEqual(['user: before', 'assistant: before? I see 1'])
    await run(echoAgent(), 'after', { session })
    expect(stored().at(-1)).toBe('assistant: after? I see 3')
  })

  it('a run across an expiry writes into the live session, where an evicted stock session is an orphan', async () => {
    const slow = deferred()
    const agent = echoAgent({ slow: slow.promise })
    const { clock, session, stored } = make()
    const stock = new Map([['a', new MemorySession()]])
    const first = run(agent, 'slow', { session })
    const second = run(agent, 'slow', { session: stock.get('a') as Session })
    await settle()
    clock.advance(timeoutMs)
    stock.delete('a')
    slow.resolve()
    await Promise.all([first, second])

    expect(stored()).toEqual(['user: slow', 'assistant: slow? I see 1'])
    expect(stock.size).toBe(0)
  })

  it('a run in a turn keeps the session from expiring', async () => {
    const slow = deferred()
    const agent = echoAgent({ slow: slow.promise })
    const clock = new ManualClock()
    const sessions = new SessionRegistry<AgentInputItem[]>({
      clock,
      timeoutMs,
      maxTurnMs: 2 * timeoutMs,
      create: () => [],
    })
    const session = agentSession(sessions, 'a')
    await run(agent, 'before', { session })
    const turn = sessions.run('a', () => run(agent, 'slow', { session }))
    await settle()
    clock.advance(timeoutMs)
    slow.resolve()
    await turn

    expect(lines(await session.getItems()).at(-1)).toBe('assistant: slow? I see 3')
    expect(sessions.stats().created).toBe(1)
  })

  it('passes copies to the runner: changes by a callback do not affect what is stored', async () => {
    const { session, stored } = make()
    const agent = echoAgent()
    await run(agent, 'one', { session })
    await run(agent, 'two', {
      session,
      sessionInputCallback: (history, added) => {
        for (const item of history) Object.assign(item, { content: 'overwritten' })
        return added
      },
    })

    expect(stored()).toEqual(['user: one', 'assistant: one? I see 1', 'user: two', 'assistant: two? I see 1'])
  })

  it('restarts after a compaction in the input, as the stock session does', async () => {
    const { session, sessions } = make()
    const agent = echoAgent()
    const stock = new MemorySession()
    for (const one of [session, stock]) {
      await run(agent, 'one', { session: one })
      await run(
        agent,
        [
          { type: 'compaction', encrypted_content: 'x' },
          { role: 'user', content: 'two' },
        ],
        {
          session: one,
          sessionInputCallback: (history, added) => [...history, ...added],
        },
      )
    }

    expect(sessions.get('a')).toEqual(await stock.getItems())
    expect(lines(await session.getItems())).toEqual(['compaction', 'user: two', 'assistant: two? I see 2'])
  })

  it('is compacted by the framework’s decorator in the same turn', async () => {
    const { sessions, session, stored } = make()
    const compacted: unknown[] = []
    const client = {
      responses: {
        compact: async (request: { input?: unknown[] }) => {
          compacted.push(request.input?.length)
          return { output: [{ type: 'compaction', id: 'cmp_1', encrypted_content: 'x' }], usage: {} }
        },
      },
    }
    const compacting = new OpenAIResponsesCompactionSession({
      client: client as never,
      underlyingSession: session,
      compactionMode: 'input',
      shouldTriggerCompaction: ({ sessionItems }) => sessionItems.length >= 4,
    })
    const agent = echoAgent()
    for (const question of ['one', 'two']) {
      await sessions.run('a', () => run(agent, question, { session: compacting }))
    }

    expect(compacted).toEqual([4])
    expect(stored()).toEqual(['compaction'])
    expect(sessions.stats().created).toBe(1)
  })

  it('keeps the question, but not the tool calls, of a run refused by an output guardrail', async () => {
    const { session, stored } = make()
    const look = tool({ name: 'look', description: 'looks', parameters: z.object({}), execute: () => 'seen' })
    const model = new ScriptedModel([
      [functionCall('look', {}, { callId: 'c1' })],
      [assistantMessage('a secret')],
    ])
    const guardrail = { name: 'no', execute: async () => ({ tripwireTriggered: true, outputInfo: {} }) }
    const agent = new Agent({ name: 'guarded', model, tools: [look], outputGuardrails: [guardrail] })
    const error = await failureOf(() => run(agent, 'tell me', { session }))

    expect(error).toBeInstanceOf(OutputGuardrailTripwireTriggered)
    expect(stored()).toEqual(['user: tell me'])
  })

  it('declares no ability that it does not have', () => {
    const { session } = make()

    expect(Object.keys(session).sort()).toEqual([
      'addItems',
      'clearSession',
      'getItems',
      'getSessionId',
      'popItem',
      'replaceHistoryWithCompaction',
    ])
  })
})
