import { MemoryStore } from '@slack/bolt'
import { conversationStore } from 'session-registry/slack'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'
import { type Counter, conversations, slackApp, timeoutMs } from '../support/slack-app.ts'

describe('a Bolt app', () => {
  it('finds nothing in a new conversation, then what it has stored, each channel for itself', async () => {
    const { sessions, events } = conversations()
    const seen: unknown[] = []
    const { send, errors } = slackApp(conversationStore(sessions), async (context) => {
      seen.push(context.conversation)
      await context.updateConversation({ count: (context.conversation?.count ?? 0) + 1 })
    })
    for (const channel of ['C1', 'C1', 'C2', 'C1']) await send(channel)

    expect(seen).toEqual([undefined, { count: 1 }, undefined, { count: 2 }])
    expect(events.lines).toEqual(['created C1', 'created C2'])
    expect(errors).toEqual([])
  })

  it('that only reads: creates no session', async () => {
    const { sessions } = conversations({ create: () => ({ value: { count: 9 } }) })
    const seen: unknown[] = []
    const { send } = slackApp(conversationStore(sessions), (context) => seen.push(context.conversation))
    await send('C1')

    expect(seen).toEqual([undefined])
    expect(sessions.size).toBe(0)
  })

  it('two events at once: both write what they read; a turn in the listener loses nothing', async () => {
    const { sessions } = conversations()
    const careless = slackApp(conversationStore(sessions), async ({ conversation, updateConversation }) => {
      await settle()
      await updateConversation({ count: (conversation?.count ?? 0) + 1 })
    })
    await Promise.all([careless.send('C1'), careless.send('C1')])
    expect(await conversationStore(sessions).get('C1')).toEqual({ count: 1 })

    const store = conversationStore(sessions)
    const careful = slackApp(store, ({ updateConversation }) =>
      sessions.run('C1', async ({ value }) => {
        await settle()
        await updateConversation({ count: (value.value?.count ?? 0) + 1 })
      }),
    )
    await Promise.all([careful.send('C1'), careful.send('C1'), careful.send('C1')])
    expect(await store.get('C1')).toEqual({ count: 4 })
    expect([...careless.errors, ...careful.errors]).toEqual([])
  })

  it('a conversation that expires in the middle: what is stored then begins a new session', async () => {
    const { sessions, clock, events } = conversations()
    const { send } = slackApp(conversationStore(sessions), async (context, text) => {
      if (text === 'slow') clock.advance(timeoutMs)
      await context.updateConversation({ count: (context.conversation?.count ?? 0) + 1 })
    })
    await send('C1')
    await send('C1', 'slow')

    expect(await conversationStore(sessions).get('C1')).toEqual({ count: 2 })
    expect(events.lines).toEqual(['created C1', 'expired C1 idle', 'ended C1 idle', 'created C1'])
  })
})

describe('a conversation store', () => {
  it('copies in and out', async () => {
    const { sessions } = conversations()
    const store = conversationStore(sessions)
    const given = { count: 1, list: ['mine'] }
    const written = store.set('C1', given)
    given.list.push('after the call')
    await written
    const read = (await store.get('C1')) as typeof given
    read.list.push('after the read')

    expect(sessions.peek('C1')?.value).toEqual({ value: { count: 1, list: ['mine'] } })
  })

  it('reads are activity, and the registry’s timeout ends the session', async () => {
    const { sessions, clock } = conversations()
    const store = conversationStore(sessions)
    await store.set('C1', { count: 1 }, Number.POSITIVE_INFINITY)
    clock.advance(timeoutMs - 1)
    expect(await store.get('C1')).toEqual({ count: 1 })
    clock.advance(timeoutMs - 1)
    expect(await store.get('C1')).toEqual({ count: 1 })
    clock.advance(timeoutMs)

    expect(await failureOf(() => store.get('C1'))).toMatchObject({ message: 'Conversation not found' })
  })

  it('rejects a miss as Bolt’s own store does', async () => {
    const { sessions } = conversations()
    for (const store of [conversationStore(sessions), new MemoryStore<Counter>()]) {
      await store.set('C1', { count: 1 }, Date.now() - 1)
      const messages = [await failureOf(() => store.get('C1')), await failureOf(() => store.get('C2'))]
      expect(messages.map((error) => [(error as Error).name, (error as Error).message])).toEqual([
        ['Error', 'Conversation expired'],
        ['Error', 'Conversation not found'],
      ])
    }
  })

  it('honours `expiresAt` at every read, to the millisecond; a new state has its own', async () => {
    const { sessions, clock } = conversations()
    const store = conversationStore(sessions)
    const expired = { message: 'Conversation expired' }
    await store.set('C1', { count: 1 }, clock.date() + 5_000)
    clock.advance(5_000)
    expect(await store.get('C1')).toEqual({ count: 1 })
    clock.advance(1)
    for (const _time of [1, 2]) expect(await failureOf(() => store.get('C1'))).toMatchObject(expired)

    await store.set('C1', { count: 2 })
    clock.advance(5_000)
    expect(await store.get('C1')).toEqual({ count: 2 })
    expect(sessions.stats().created).toBe(1)
  })

  it('reads beside a running turn, and writes after it', async () => {
    const { sessions } = conversations()
    const store = conversationStore(sessions)
    await store.set('C1', { count: 1 })
    const { promise, resolve } = deferred()
    const turn = sessions.run('C1', () => promise)
    const written = observe(store.set('C1', { count: 2 }))
    await settle()

    expect(await store.get('C1')).toEqual({ count: 1 })
    expect(written.state).toBe('pending')
    resolve()
    await Promise.all([turn, written.settled])
    expect(await store.get('C1')).toEqual({ count: 2 })
  })

  it('reads inside a turn what the turn has', async () => {
    const { sessions } = conversations({ create: () => ({}) })
    const store = conversationStore(sessions)
    await sessions.run('C1', async (session) => {
      expect(await failureOf(() => store.get('C1'))).toMatchObject({ message: 'Conversation not found' })
      session.value = { value: { count: 1 } }
      expect(await store.get('C1')).toEqual({ count: 1 })
      await store.set('C1', { count: 2 })
      expect(session.value).toEqual({ value: { count: 2 } })
    })

    expect(await store.get('C1')).toEqual({ count: 2 })
  })

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['an empty object', {}],
    ['an expiry alone', { expiresAt: 5 }],
  ])('a session without a state is a miss: %s', async (_what, value) => {
    const { sessions } = conversations()
    sessions.set('C1', value as never)

    expect(await failureOf(() => conversationStore(sessions).get('C1'))).toMatchObject({
      message: 'Conversation not found',
    })
  })

  it.each([
    ['an object', { count: 7 }],
    ['one with more than a conversation has', { value: 1, expiresAt: 1, count: 7 }],
    ['a list', ['a']],
    ['an empty list', []],
    ['a map', new Map([['a', 1]])],
    ['a text', 'a'],
  ])('reads a state that `load` returns as it is: %s', async (_what, state) => {
    const { sessions } = conversations({ load: async () => state as never })

    expect(await conversationStore(sessions).get('C1')).toEqual(state)
  })

  it('stores false, zero, an empty text and null, as Bolt’s own does', async () => {
    const { sessions } = conversations()
    const store = conversationStore<unknown>(sessions as never)
    for (const state of [false, 0, '', null]) {
      await store.set('C1', state)
      expect(await store.get('C1')).toBe(state)
    }
  })

  it.each<[what: string, expiresAt: unknown, message: string]>([
    ['NaN', Number.NaN, 'got NaN (number)'],
    ['a date', new Date(0), 'got an object'],
    ['null', null, 'got null'],
    ['a text', '5', 'got a string'],
  ])('refuses an `expiresAt` that is %s', async (_what, expiresAt, message) => {
    const { sessions } = conversations()
    const set = () => conversationStore(sessions).set('C1', { count: 1 }, expiresAt as never)
    const error = (await failureOf(set)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toBe(`Expected \`expiresAt\` to be epoch milliseconds or Infinity, ${message}`)
    expect(sessions.size).toBe(0)
  })
})
