import { conversationStore } from 'session-registry/slack'
import { describe, expect, it } from 'vitest'
import { failureOf, sessionError } from '../support/session-error.ts'
import { conversations, slackApp } from '../support/slack-app.ts'

describe('a read that fails', () => {
  const failure = new Error('the database is away')

  /** A registry whose database has a conversation, and is away until `recover` is called. */
  function away() {
    let isDown = true
    const load = async (id: string) => {
      if (isDown) throw failure
      return id === 'C1' ? { value: { count: 7 } } : undefined
    }
    const recover = () => {
      isDown = false
    }
    const parts = conversations({ load })
    return { ...parts, store: conversationStore(parts.sessions), recover }
  }

  it('looks like an empty conversation to Bolt, whose update is refused: nothing is overwritten', async () => {
    const { sessions, store, recover } = away()
    const seen: unknown[] = []
    const { send, errors } = slackApp(store, async (context, text) => {
      seen.push(context.conversation)
      if (text === 'recovers') recover()
      await context.updateConversation({ count: (context.conversation?.count ?? 0) + 1 })
    })
    await send('C1', 'recovers')
    expect(errors).toEqual([sessionError('ERR_SESSION_STORE_FAILED')])
    expect((errors[0] as Error).cause).toBe(failure)
    expect(sessions.size).toBe(0)

    await send('C1')
    expect(seen).toEqual([undefined, { count: 7 }])
    expect(errors).toHaveLength(1)
    expect(await store.get('C1')).toEqual({ count: 8 })
  })

  it('refuses `set` until a read succeeds, one that finds nothing or an expired state too', async () => {
    const { sessions, store, recover } = away()
    for (const id of ['C1', 'C2', 'C3']) expect(await failureOf(() => store.get(id))).toBe(failure)
    recover()
    await sessions.run('C3', () => {}, { create: () => ({ value: { count: 1 }, expiresAt: 1 }) })
    for (const id of ['C1', 'C2', 'C3']) {
      expect(await failureOf(() => store.set(id, { count: 0 }))).toEqual(
        sessionError('ERR_SESSION_STORE_FAILED'),
      )
    }
    expect(await store.get('C1')).toEqual({ count: 7 })
    expect(await failureOf(() => store.get('C2'))).toMatchObject({ message: 'Conversation not found' })
    expect(await failureOf(() => store.get('C3'))).toMatchObject({ message: 'Conversation expired' })
    for (const id of ['C1', 'C2', 'C3']) await store.set(id, { count: 5 })

    expect(await store.get('C2')).toEqual({ count: 5 })
  })

  it('concerns its own conversation and its own store alone', async () => {
    const { sessions, store, recover } = away()
    await failureOf(() => store.get('C1'))
    recover()

    await store.set('C2', { count: 1 })
    await conversationStore(sessions).set('C1', { count: 1 })
    expect(await store.get('C2')).toEqual({ count: 1 })
  })

  it('the read that settles last counts', async () => {
    const { store, recover } = away()
    const failing = store.get('C1')
    recover()
    expect(await failureOf(() => failing)).toBe(failure)
    await store.get('C1')
    await store.set('C1', { count: 1 })

    expect(await store.get('C1')).toEqual({ count: 1 })
  })

  it('of a value that cannot be copied: refuses `set`, too', async () => {
    const { sessions, store } = away()
    const value = {
      get count(): number {
        throw failure
      },
    }
    await sessions.run('C2', () => {}, { create: () => ({ value }) }).catch(() => {})
    sessions.set('C2', { value })
    const error = await failureOf(() => store.get('C2'))

    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(await failureOf(() => store.set('C2', { count: 1 }))).toMatchObject({ cause: error })
  })

  it('of an id that is not one leaves no mark', async () => {
    const { store } = away()

    expect(await failureOf(() => store.get(''))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    expect(await failureOf(() => store.set('', { count: 1 }))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
  })

  it('of very many conversations: every one that was not read since is refused', async () => {
    const { sessions, store, recover } = away()
    for (let index = 0; index <= 1_000; index += 1) await failureOf(() => store.get(`D${index}`))
    recover()
    const refused = sessionError('ERR_SESSION_STORE_FAILED')
    for (const id of ['D0', 'D1000', 'never read']) {
      expect(await failureOf(() => store.set(id, { count: 0 })), id).toEqual(refused)
      expect(await failureOf(() => store.get(id)), id).toMatchObject({ message: 'Conversation not found' })
      await store.set(id, { count: 1 })
    }
    const error = (await failureOf(() => store.set('D1', { count: 0 }))) as Error
    expect(error).toEqual(refused)
    // The errors of so many are not kept.
    expect(error.cause).toBeUndefined()

    const { run } = sessions
    Object.assign(sessions, { run: () => Promise.reject(failure) })
    expect(await failureOf(() => store.get('D0'))).toBe(failure)
    Object.assign(sessions, { run })
    expect(await failureOf(() => store.set('D0', { count: 0 }))).toEqual(refused)
  })
})
