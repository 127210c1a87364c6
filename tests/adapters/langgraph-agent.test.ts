import { AIMessage, type BaseMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { tool } from '@langchain/core/tools'
import { Command, interrupt } from '@langchain/langgraph'
import { createAgent } from 'langchain'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { withSessionTurns } from 'session-registry/langchain'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { deferred } from '../support/deferred.ts'
import { transcript } from '../support/transcript.ts'

const ada = { configurable: { thread_id: 'ada' } }

const weather = tool(({ city }: { city: string }) => `sunny in ${city}`, {
  name: 'weather',
  description: 'The weather of a city',
  schema: z.object({ city: z.string() }),
})

const booking = tool(({ city }: { city: string }) => `${interrupt('book?')}: booked ${city}`, {
  name: 'booking',
  description: 'Books a trip',
  schema: z.object({ city: z.string() }),
})

const slowIsCalled = deferred()
const slowMayEnd = deferred()
const slow = tool(
  async () => {
    slowIsCalled.resolve()
    await slowMayEnd.promise
    return 'at last'
  },
  { name: 'slow', description: 'Takes its time', schema: z.object({}) },
)

function setUp(options: SessionRegistryOptions<Thread> = {}) {
  const clock = new ManualClock()
  const threads = new SessionRegistry<Thread>({ clock, timeoutMs: 1_000, create: newThread, ...options })
  const model = fakeModel()
  const agent = createAgent({
    model,
    tools: [weather, booking, slow],
    checkpointer: new SessionSaver({ source: threads }),
  })
  const ask = (content: string) => ({ messages: [{ role: 'user', content }] })
  const say = (text: (seen: BaseMessage[]) => string) =>
    model.respond((messages) => new AIMessage(text(messages)))
  return { clock, threads, model, agent, ask, say }
}

describe('an agent over a SessionSaver', () => {
  it('keeps a thread with a bigint id', async () => {
    const { agent, ask, say, threads } = setUp()
    say(() => 'Hello.')
    say((seen) => `I see ${seen.length} messages`)
    const config = { configurable: { thread_id: 653247040368672779n as never } }
    await agent.invoke(ask('hello'), config)
    const { messages } = await agent.invoke(ask('again'), config)
    expect(messages.at(-1)?.content).toBe('I see 3 messages')
    expect([...threads.keys()]).toEqual(['653247040368672779'])
  })

  it('calls a tool, remembers its thread, and forgets it when it has expired', async () => {
    const { agent, model, ask, say, clock, threads } = setUp()
    model.respondWithTools([{ name: 'weather', args: { city: 'Oslo' } }])
    say(() => 'It is sunny.')
    say((seen) => `I see ${seen.length} messages`)
    say((seen) => `I see ${seen.length} messages`)

    const first = await threads.run('ada', () => agent.invoke(ask('weather in Oslo?'), ada))
    expect(transcript(first.messages).slice(-2)).toEqual(['tool:sunny in Oslo', 'ai:It is sunny.'])
    const second = await threads.run('ada', () => agent.invoke(ask('again?'), ada))
    expect(second.messages.at(-1)?.content).toBe('I see 5 messages')
    expect(second.messages.map((message) => message.constructor.name)).toContain('ToolMessage')

    clock.advance(1_000)
    const third = await threads.run('ada', () => agent.invoke(ask('who am I?'), ada))
    expect(third.messages.at(-1)?.content).toBe('I see 1 messages')
  })

  it('is paused by a tool that asks, and resumes', async () => {
    const { agent, model, ask, say, clock, threads } = setUp()
    model.respondWithTools([{ name: 'booking', args: { city: 'Oslo' } }])
    say((seen) => `done, ${seen.at(-1)?.content}`)
    await threads.run('ada', () => agent.invoke(ask('book Oslo'), ada))
    clock.advance(1_000_000)
    expect(threads.peek('ada')?.timeoutMs).toBe(7 * 24 * 60 * 60 * 1_000)
    const resumed = await threads.run('ada', () => agent.invoke(new Command({ resume: 'yes' }), ada))
    expect(resumed.messages.at(-1)?.content).toBe('done, yes: booked Oslo')
    expect(threads.peek('ada')?.timeoutMs).toBe(1_000)
  })

  it('loses nothing of two overlapping calls if each is a turn', async () => {
    const { agent, ask, say, threads } = setUp()
    for (let n = 0; n < 3; n += 1) say((seen) => `re:${seen.at(-1)?.content}`)
    const turn = (text: string) => threads.run('ada', () => agent.invoke(ask(text), ada))
    await Promise.all([turn('one'), turn('two'), turn('three')])
    const { messages } = (await agent.graph.getState(ada)).values
    expect(transcript(messages)).toEqual(
      ['one', 'two', 'three'].flatMap((text) => [`human:${text}`, `ai:re:${text}`]),
    )
  })

  it('streams inside a turn if the stream is read in it', async () => {
    const { agent, ask, say, threads } = setUp()
    say(() => 'hello')
    const steps = await threads.run('ada', async (_session, signal) => {
      const seen: string[] = []
      const stream = await agent.stream(ask('hi'), { ...ada, signal, streamMode: 'updates' })
      for await (const step of stream) seen.push(...Object.keys(step))
      return seen
    })
    expect(steps).toEqual(['model_request'])
    expect(transcript((await agent.graph.getState(ada)).values.messages)).toEqual(['human:hi', 'ai:hello'])
  })

  it('as a graph has its own turns: `withSessionTurns` uses `thread_id`', async () => {
    const { agent, ask, say, threads } = setUp()
    say(() => 'one')
    say(() => 'two')
    const turns = withSessionTurns(threads, agent.graph as never) as never as typeof agent.graph
    await Promise.all([turns.invoke(ask('a') as never, ada), turns.invoke(ask('b') as never, ada)])
    expect(transcript((await agent.graph.getState(ada)).values.messages)).toEqual([
      'human:a',
      'ai:one',
      'human:b',
      'ai:two',
    ])
  })

  it('writes into the live thread while its session is held, however long it takes', async () => {
    const { agent, model, ask, say, clock, threads } = setUp({ maxTurnMs: 60_000 })
    model.respondWithTools([{ name: 'slow', args: {} }])
    say(() => 'done')
    const turn = threads.run('ada', () => agent.invoke(ask('wait'), ada))
    await slowIsCalled.promise
    const session = threads.peek('ada')
    clock.advance(30_000)
    slowMayEnd.resolve()
    expect((await turn).messages).toHaveLength(4)
    expect(threads.peek('ada')).toBe(session)
  })
})
