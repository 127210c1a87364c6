import { InMemoryChatMessageHistory } from '@langchain/core/chat_history'
import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { withSessionTurns } from 'session-registry/langchain'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { GatedModel } from '../support/gated-model.ts'
import { ObservedPromise } from '../support/observed-promise.ts'
import { readAll } from '../support/read-all.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { transcript } from '../support/transcript.ts'
import { setUp } from './langchain-chat.ts'

const ada = { configurable: { sessionId: 'ada' } }

/** Asks a slow question, then a quick one that is answered before it, on one session. */
async function overlap(model: GatedModel, ask: (question: string) => Promise<unknown>): Promise<void> {
  const slow = ask('slow')
  await settle()
  const quick = ask('quick')
  await settle()
  // Where turns wait for each other the quick one has not been asked yet.
  if (model.calls.length > 1) model.call('quick').answer()
  await settle()
  model.call('slow').answer()
  await slow
  await settle()
  model.call('quick').answer()
  await quick
}

describe('overlapping calls on one session', () => {
  it('lose and mix messages with the stock classes, and neither in turns', async () => {
    // Stock history, input and history in one list: the question that was answered last is gone.
    const stock = new GatedModel()
    const history = new InMemoryChatMessageHistory()
    const stockChat = new RunnableWithMessageHistory({
      runnable: stock.runnable,
      getMessageHistory: () => history,
    })
    await overlap(stock, (question) => stockChat.invoke([new HumanMessage(question)], ada))
    expect(transcript(await history.getMessages())).toEqual(['human:quick', 'ai:re:quick', 'ai:re:slow'])

    // Stock history, two turns with tool calls: `addMessages` stores one by one, and they come in between
    // each other.
    const mixed = new InMemoryChatMessageHistory()
    const round = (n: number) => [new HumanMessage(`q${n}`), new AIMessage(`a${n}`)]
    await Promise.all([mixed.addMessages(round(1)), mixed.addMessages(round(2))])
    expect(transcript(await mixed.getMessages())).toEqual(['human:q1', 'human:q2', 'ai:a1', 'ai:a2'])

    // Sessions and turns: both whole, in the order asked, and the second sees the first.
    const { chat, model, registry } = setUp()
    await overlap(model, (question) => chat.invoke([new HumanMessage(question)], ada))
    expect(transcript(registry.get('ada'))).toEqual([
      'human:slow',
      'ai:re:slow',
      'human:quick',
      'ai:re:quick',
    ])
    expect(model.call('quick').seen).toBe(3)
  })

  it('lose and mix nothing if the history has its own key', async () => {
    const { prompted, model, registry } = setUp()
    await overlap(model, (question) => prompted.invoke({ question }, ada))
    expect(transcript(registry.get('ada'))).toEqual([
      'human:slow',
      'ai:re:slow',
      'human:quick',
      'ai:re:quick',
    ])
    expect(model.call('quick').seen).toBe(3)
  })

  it('run concurrently on different sessions', async () => {
    const { chat, model } = setUp()
    const calls = ['ada', 'bob'].map((sessionId) =>
      chat.invoke([new HumanMessage(sessionId)], { configurable: { sessionId } }),
    )
    await settle()
    expect(model.calls.map(({ said }) => said)).toEqual(['ada', 'bob'])
    for (const call of model.calls) call.answer()
    await Promise.all(calls)
  })
})

describe('a call and the expiry of its session', () => {
  it('a turn keeps the session from expiring, and stores into it', async () => {
    const { chat, model, registry, clock } = setUp({ maxTurnMs: 60_000 })
    const session = registry.run('ada', (one) => one)
    const call = chat.invoke([new HumanMessage('hello')], ada)
    await settle()
    clock.advance(5_000)
    expect(registry.has('ada')).toBe(true)
    model.call('hello').answer()
    await call
    expect(registry.peek('ada')).toBe(await session)
    expect(transcript(registry.get('ada'))).toEqual(['human:hello', 'ai:re:hello'])
  })

  it('a call without turns writes into the live session after its own expired', async () => {
    const { model, registry, clock, getMessageHistory } = setUp()
    registry.getOrCreate('ada').push(new HumanMessage('before'))
    const chat = new RunnableWithMessageHistory({ runnable: model.runnable, getMessageHistory })
    const call = chat.invoke([new HumanMessage('hello')], ada)
    await settle()
    clock.advance(1_000)
    expect(registry.has('ada')).toBe(false)
    model.call('hello').answer()
    await call
    expect(transcript(registry.get('ada'))).toContain('ai:re:hello')
  })

  it('joins the turn that contains it', async () => {
    const { chat, model, registry } = setUp()
    const turn = registry.run('ada', async () => {
      const call = chat.invoke([new HumanMessage('hello')], ada)
      await settle()
      model.call('hello').answer()
      return call
    })
    expect((await turn).content).toBe('re:hello')
    expect(transcript(registry.get('ada'))).toEqual(['human:hello', 'ai:re:hello'])
  })

  it('passes the error of the runnable on, and the next call succeeds', async () => {
    const { chat, model, registry } = setUp()
    const failure = new Error('no model today')
    const call = new ObservedPromise(chat.invoke([new HumanMessage('hello')], ada))
    await settle()
    model.call('hello').fail(failure)
    await call.settled
    expect(call.error).toBe(failure)
    const next = chat.invoke([new HumanMessage('again')], ada)
    await settle()
    model.call('again').answer()
    await next
    expect(transcript(registry.get('ada'))).toEqual(['human:again', 'ai:re:again'])
  })
})

describe('the id of a call', () => {
  it('is `configurable.sessionId`, else `thread_id`; a number becomes its string', async () => {
    const { registry } = setUp()
    const held = withSessionTurns(
      registry,
      RunnableLambda.from(() => [...registry.sessions()].find((session) => session.held)?.id),
    )
    expect(await held.invoke('', { configurable: { sessionId: 'ada', thread_id: 'bob' } })).toBe('ada')
    expect(await held.invoke('', { configurable: { thread_id: 'bob' } })).toBe('bob')
    expect(await held.invoke('', { configurable: { sessionId: 0 } })).toBe('0')
    expect(await held.withConfig({ configurable: { sessionId: 'eve' } }).invoke('')).toBe('eve')
  })

  it('may be one that the stock class ignores: `thread_id`, or the number 0', async () => {
    const { registry, getMessageHistory } = setUp()
    const runnable = RunnableLambda.from<BaseMessage[], BaseMessage>(() => new AIMessage('hi'))
    const chat = withSessionTurns(registry, new RunnableWithMessageHistory({ runnable, getMessageHistory }))
    await chat.invoke([new HumanMessage('hello')], { configurable: { thread_id: 'ada' } })
    await chat.invoke([new HumanMessage('hello')], { configurable: { sessionId: 0 } })
    await readAll(await chat.stream([new HumanMessage('hello')], { configurable: { sessionId: 7 } }))
    await chat.invoke([new HumanMessage('hello')], { configurable: { sessionId: 653247040368672779n } })
    expect([...registry.keys()]).toEqual(['ada', '0', '7', '653247040368672779'])
  })

  it.each([
    ['no config', undefined],
    ['no configurable', {}],
    ['no id', { configurable: {} }],
    ['an empty id', { configurable: { sessionId: '' } }],
    ['NaN', { configurable: { sessionId: Number.NaN } }],
    ['an integer with neighbours of the same number', { configurable: { sessionId: 2 ** 53 } }],
  ])('refuses %s, for a stream too', async (_name, config) => {
    const { chat, registry } = setUp()
    const expected = sessionError('ERR_SESSION_ID_INVALID')
    expect(await failureOf(() => chat.invoke([], config))).toEqual(expected)
    expect(await failureOf(() => chat.stream([], config))).toEqual(expected)
    expect(await failureOf(() => chat.batch([[]], config))).toEqual(expected)
    expect(registry.size).toBe(0)
  })

  const eitherKey = '`configurable.sessionId` or `configurable.thread_id`'

  it.each([
    ['no config', undefined, eitherKey],
    ['a configurable of null', { configurable: null as never }, eitherKey],
    ['no id', { configurable: { user: 'ada' } }, eitherKey],
    ['null', { configurable: { sessionId: null, thread_id: null } }, eitherKey],
    ['an empty id', { configurable: { sessionId: '', thread_id: 'ada' } }, '`configurable.sessionId`'],
    ['a wrong thread', { configurable: { thread_id: 'ada'.repeat(400) } }, '`configurable.thread_id`'],
  ])(
    'given %s: the error names where it was looked for, and contains no id',
    async (_name, config, place) => {
      const { chat, registry } = setUp()
      const runnable = RunnableLambda.from<string, string>((input) => input)
      for (const call of [
        () => chat.invoke([], config),
        () => chat.stream([], config),
        () => withSessionTurns(registry, runnable).invoke('', config),
      ]) {
        const error = (await failureOf(call)) as Error
        expect(error.message).toMatch(
          /^Expected the session id in .* to be a non-empty string .*, got [\w ]+$/,
        )
        expect(error.message).toContain(` in ${place} to be `)
        expect(error.message).not.toContain('ada')
      }
    },
  )
})

describe('the signal of a call', () => {
  it("is the turn's: an interrupting turn aborts it", async () => {
    const { chat, model, registry } = setUp()
    const call = new ObservedPromise(chat.invoke([new HumanMessage('hello')], ada))
    await settle()
    const { signal } = model.call('hello')
    expect(signal?.aborted).toBe(false)
    await registry.run('ada', () => {}, { whenBusy: 'interrupt' })
    expect(signal?.reason).toEqual(sessionError('ERR_SESSION_TURN_INTERRUPTED'))
    await call.settled
    expect(call.state).toBe('rejected')
  })

  it('aborts with the caller’s signal', async () => {
    const { chat, model } = setUp()
    const controller = new AbortController()
    const call = new ObservedPromise(
      chat.invoke([new HumanMessage('hello')], { ...ada, signal: controller.signal }),
    )
    await settle()
    controller.abort(new Error('gone'))
    await call.settled
    expect(call.state).toBe('rejected')
    expect(model.call('hello').signal?.aborted).toBe(true)
  })

  it('removes a waiting call from the queue', async () => {
    const { chat, model, registry } = setUp()
    const controller = new AbortController()
    const running = chat.invoke([new HumanMessage('first')], ada)
    const waiting = new ObservedPromise(
      chat.invoke([new HumanMessage('second')], { ...ada, signal: controller.signal }),
    )
    await settle()
    const reason = new Error('gone')
    controller.abort(reason)
    await waiting.settled
    expect(waiting.error).toBe(reason)
    model.call('first').answer()
    await running
    expect(model.calls).toHaveLength(1)
    expect(registry.peek('ada')?.held).toBe(false)
  })

  it("aborts by the call's `timeout`, counted from the call", async () => {
    const { chat, registry } = setUp()
    const gate = deferred()
    const running = registry.run('ada', () => gate.promise)
    // LangChain's own timer, which no fake time reaches.
    const error = (await failureOf(() => chat.invoke([], { ...ada, timeout: 1 }))) as Error
    expect(error.name).toBe('TimeoutError')
    gate.resolve()
    await running
  })

  it('ends at `maxTurnMs`, and late messages are not stored', async () => {
    const { chat, model, registry, clock } = setUp({ maxTurnMs: 500 })
    const call = new ObservedPromise(chat.invoke([new HumanMessage('hello')], ada))
    await settle()
    clock.advance(500)
    await call.settled
    expect(call.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    model.call('hello').answer()
    await settle()
    expect(registry.get('ada')).toEqual([])
  })
})
