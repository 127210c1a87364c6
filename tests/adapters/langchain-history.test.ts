import {
  AIMessage,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
  trimMessages,
} from '@langchain/core/messages'
import { SessionRegistry } from 'session-registry'
import { messageHistories } from 'session-registry/langchain'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { ObservedPromise } from '../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { transcript } from '../support/transcript.ts'

function setUp() {
  const clock = new ManualClock()
  const registry = new SessionRegistry<BaseMessage[]>({ clock, timeoutMs: 1_000, create: () => [] })
  return { clock, registry, histories: messageHistories(registry) }
}

/** Changes a message as deep down as it is. */
function change(message: AIMessage): void {
  const [block] = message.content as { text?: string }[]
  Object.assign(block ?? {}, { text: 'changed' })
  Object.assign(message.additional_kwargs, { a: 'changed' })
  Object.assign(message.lc_kwargs, { changed: true })
}

describe('a history', () => {
  it('stores messages in the session of its id, shared by every history of the id', async () => {
    const { registry, histories } = setUp()
    await histories('ada').addUserMessage('hello')
    await histories('ada').addAIMessage('hi')
    await histories('bob').addMessage(new HumanMessage('hey'))
    expect(transcript(await histories('ada').getMessages())).toEqual(['human:hello', 'ai:hi'])
    expect(transcript(registry.get('ada'))).toEqual(['human:hello', 'ai:hi'])
    expect(transcript(registry.get('bob'))).toEqual(['human:hey'])
  })

  it('returns copies of the list', async () => {
    const { registry, histories } = setUp()
    const history = histories('ada')
    const added = [new HumanMessage('hello')]
    await history.addMessages(added)
    added.push(new HumanMessage('later'))
    const read = await history.getMessages()
    read.length = 0
    expect(transcript(registry.get('ada'))).toEqual(['human:hello'])
  })

  it('returns and stores copies of messages, for any later change', async () => {
    const { registry, histories } = setUp()
    const history = histories('ada')
    const given = new AIMessage({ content: [{ type: 'text', text: 'hello' }], additional_kwargs: { a: [1] } })
    const stored = history.addMessages([given])
    // Copied at the call, not when the turn comes.
    change(given)
    await stored
    change(given)
    const [read] = (await history.getMessages()) as [AIMessage]
    change(read)
    const kept = new AIMessage({ content: [{ type: 'text', text: 'hello' }], additional_kwargs: { a: [1] } })

    expect(await history.getMessages()).toStrictEqual([kept])
    expect(registry.get('ada')).toStrictEqual([kept])
  })

  it('is not shortened by `trimMessages`', async () => {
    const { registry, histories } = setUp()
    const text = 'one two three four five six seven eight'
    await histories('ada').addMessages([
      new HumanMessage(text),
      new AIMessage({ content: [{ type: 'text', text }] }),
    ])
    const trimmed = await trimMessages(await histories('ada').getMessages(), {
      maxTokens: 6,
      strategy: 'last',
      allowPartial: true,
      tokenCounter: (messages) =>
        messages.map((one) => one.text.split(' ').length).reduce((a, b) => a + b, 0),
      textSplitter: (whole) => whole.split(/(?<= )/),
    })

    expect(trimmed.map((one) => one.text)).not.toContain(text)
    expect(registry.get('ada')?.map((one) => one.text)).toEqual([text, text])
  })

  it('shares nothing with another session that got the same greeting', async () => {
    const { registry, histories } = setUp()
    const greeting = new AIMessage('Hello!')
    for (const id of ['ada', 'bob']) await histories(id).addMessage(greeting)
    const [ofAda] = registry.get('ada') ?? []
    Object.assign(ofAda?.additional_kwargs ?? {}, { visitor: 'ada' })

    expect(registry.get('bob')?.[0]?.additional_kwargs).toEqual({})
    expect(greeting.additional_kwargs).toEqual({})
  })

  it('preserves the class of a message, a user’s class too, and its fields', async () => {
    class Shout extends HumanMessage {
      readonly loud = () => `${this.content}!`
    }
    const { histories } = setUp()
    const artifact = {
      at: new Date(0),
      bytes: new Uint8Array([1]),
      page: new URL('https://example.org/a'),
      own: () => {},
    }
    const inside = new AIMessage('inside')
    const messages = [
      new Shout('hello'),
      new ToolMessage({ content: 'see', tool_call_id: 't', artifact: { ...artifact, inside } }),
    ]
    await histories('ada').addMessages(messages)
    const [shout, result] = (await histories('ada').getMessages()) as [Shout, ToolMessage]

    expect(shout).toBeInstanceOf(Shout)
    expect(shout.loud()).toBe('hello!')
    expect(result.artifact).toStrictEqual({
      at: artifact.at,
      bytes: artifact.bytes,
      page: 'https://example.org/a',
      inside,
    })
    expect(result.artifact.inside).not.toBe(inside)
  })

  it('names the path of a value that cannot be copied, and stores nothing', async () => {
    const { histories, registry } = setUp()
    const artifact = {
      get gone(): never {
        throw new Error('secret')
      },
    }
    const wrong = new ToolMessage({ content: '', tool_call_id: 't', artifact })
    const error = (await failureOf(() =>
      histories('ada').addMessages([new HumanMessage('a'), wrong]),
    )) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).toMatch(
      /^Expected `messages\[1\]\.[\w.]*artifact\.gone` to be data that can be copied$/,
    )
    expect(registry.size).toBe(0)
  })

  it('looks its session up at every call: one kept across an expiry writes into the live session', async () => {
    const { clock, registry, histories } = setUp()
    const history = histories('ada')
    await history.addUserMessage('before')
    const orphan = registry.get('ada')
    clock.advance(1_000)
    expect(await history.getMessages()).toEqual([])
    await history.addUserMessage('after')
    expect(transcript(registry.get('ada'))).toEqual(['human:after'])
    expect(transcript(orphan)).toEqual(['human:before'])
  })

  it('creates nothing by reads, by `clear`, or by adding no message', async () => {
    const { registry, histories } = setUp()
    expect(await histories('ada').getMessages()).toEqual([])
    await histories('ada').clear()
    await histories('ada').addMessages([])
    expect(registry.size).toBe(0)
  })

  it('reads restart the idle time: alive one millisecond before the timeout, expired exactly at it', async () => {
    const { clock, registry, histories } = setUp()
    await histories('ada').addUserMessage('hello')
    clock.advance(900)
    await histories('ada').getMessages()
    clock.advance(999)
    expect(registry.has('ada')).toBe(true)
    clock.advance(1)
    expect(registry.has('ada')).toBe(false)
  })

  it('clear: empties the list, and the session lives on', async () => {
    const { registry, histories } = setUp()
    await histories('ada').addUserMessage('hello')
    const session = registry.peek('ada')
    await histories('ada').clear()
    expect(registry.get('ada')).toEqual([])
    expect(registry.peek('ada')).toBe(session)
  })
})

describe('a history beside a running turn', () => {
  it('reads without waiting, and sees the last write', async () => {
    const { registry, histories } = setUp()
    const gate = deferred()
    const turn = registry.run('ada', async ({ value }) => {
      value.push(new HumanMessage('half way'))
      await gate.promise
    })
    expect(transcript(await histories('ada').getMessages())).toEqual(['human:half way'])
    gate.resolve()
    await turn
  })

  it('writes from outside after the turn, and from inside at once', async () => {
    const { registry, histories } = setUp()
    const gate = deferred()
    const turn = registry.run('ada', async () => {
      await histories('ada').addUserMessage('inside')
      await gate.promise
      await histories('ada').addAIMessage('inside')
    })
    const outside = new ObservedPromise(histories('ada').addUserMessage('outside'))
    await settle()
    expect(outside.state).toBe('pending')
    expect(transcript(registry.get('ada'))).toEqual(['human:inside'])
    gate.resolve()
    await turn
    await outside.settled
    expect(transcript(registry.get('ada'))).toEqual(['human:inside', 'ai:inside', 'human:outside'])
  })

  it('adds several messages in one step', async () => {
    const { registry, histories } = setUp()
    const round = (n: number) => [new HumanMessage(`q${n}`), new AIMessage(`c${n}`), new AIMessage(`a${n}`)]
    await Promise.all([1, 2, 3].map((n) => histories('ada').addMessages(round(n))))
    expect(registry.get('ada')?.map(({ content }) => content)).toEqual(
      [1, 2, 3].flatMap((n) => [`q${n}`, `c${n}`, `a${n}`]),
    )
  })
})

describe('invalid input to histories', () => {
  it.each([
    ['an empty string', ''],
    ['undefined', undefined],
    ['null', null],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a fraction', 7.5],
    ['an integer that has neighbours of the same number', 2 ** 53],
    ['an object', {}],
  ])('refuses %s as an id', (_name, id) => {
    const { histories } = setUp()
    expect(thrownBy(() => histories(id as never))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
  })

  it('accepts a safe integer and a bigint as its string, zero too', async () => {
    const { registry, histories } = setUp()
    await histories(7).addUserMessage('seven')
    await histories(0).addUserMessage('nought')
    await histories(653247040368672768n).addUserMessage('many')
    expect(transcript(registry.get('7'))).toEqual(['human:seven'])
    expect(transcript(await histories('0').getMessages())).toEqual(['human:nought'])
    expect(transcript(registry.get('653247040368672768'))).toEqual(['human:many'])
    expect(await histories(653247040368672779n).getMessages()).toEqual([])
  })

  it.each([
    ['a string', 'hello'],
    ['undefined', undefined],
    ['null', null],
    ['an object in the shape of a message', { role: 'user', content: 'hello' }],
  ])('refuses %s as a message, and stores none of the same call', async (_name, wrong) => {
    const { registry, histories } = setUp()
    const history = histories('ada')
    const expected = sessionError('ERR_SESSION_VALUE_INVALID')
    expect(await failureOf(() => history.addMessage(wrong as never))).toEqual(expected)
    expect(await failureOf(() => history.addMessages([new HumanMessage('fine'), wrong as never]))).toEqual(
      expected,
    )
    expect(registry.size).toBe(0)
  })

  it('refuses anything but a list of messages', async () => {
    const { histories } = setUp()
    expect(await failureOf(() => histories('ada').addMessages('hello' as never))).toEqual(
      sessionError('ERR_SESSION_VALUE_INVALID'),
    )
  })

  it('shows no part of a message or id in its errors', async () => {
    const { histories } = setUp()
    const error = (await failureOf(() => histories('ada').addMessage('secret' as never))) as Error
    expect(error.message).toBe('Expected `messages[0]` to be a LangChain message, got a string')
  })
})
