import type { UIMessage } from 'ai'
import { SessionRegistry } from 'session-registry'
import { chatStore } from 'session-registry/ai-sdk'
import { describe, expect, it } from 'vitest'
import { failureOf, sessionError } from '../support/session-error.ts'
import { describeAdapter } from './adapter-contract.ts'

type Part = UIMessage['parts'][number]

const says = (role: UIMessage['role'], ...parts: Part[]): UIMessage => ({ id: `id of ${role}`, role, parts })
const user = (text: string) => says('user', { type: 'text', text })
const firstPart = (message: UIMessage) => message.parts[0] as { text: string }

describeAdapter<UIMessage>('the chat store for the AI SDK, as an adapter', {
  conversation: (source, id) => {
    const { loadChat, saveChat } = chatStore(source)
    return { read: () => loadChat(id), write: (messages) => saveChat({ chatId: id, messages }) }
  },
  message: user,
  textOf: (message) => firstPart(message).text,
  change: (message, text) => {
    firstPart(message).text = text
  },
  nonsense: [
    'secret',
    7,
    null,
    undefined,
    {},
    [],
    { id: '1', role: 'user', content: 'secret' },
    { role: 'user', parts: [] },
    { id: '1', parts: [] },
    { ...user('secret'), metadata: () => {} },
  ],
})

function make() {
  const sessions = new SessionRegistry<UIMessage[]>({ create: () => [] })
  const save = (...messages: UIMessage[]) => chatStore(sessions).saveChat({ chatId: 'a', messages })
  return { sessions, ...chatStore(sessions), save }
}

describe('the chat store for the AI SDK', () => {
  it('replaces the whole list at each save', async () => {
    const { save, loadChat } = make()
    await save(user('1'), user('2'))
    await save(user('3'))

    expect(await loadChat('a')).toEqual([user('3')])
  })

  it('empties the list, and the session lives on', async () => {
    const { sessions, save, loadChat } = make()
    await save(user('1'))
    const life = sessions.peek('a')
    await save()

    expect(await loadChat('a')).toEqual([])
    expect(sessions.peek('a')).toBe(life)
  })

  const blank: Part[] = [
    { type: 'step-start' },
    { type: 'text', text: '', state: 'streaming' },
    { type: 'reasoning', text: '', state: 'streaming' },
  ]

  it.each([
    ['without parts', []],
    ['whose step has only begun', blank.slice(0, 1)],
    ['whose text has only begun', blank.slice(0, 2)],
    ['whose reasoning has only begun', blank],
  ])('drops a last message of the assistant %s', async (_what, parts) => {
    const { save, loadChat } = make()
    await save(user('1'), says('assistant', ...parts))

    expect(await loadChat('a')).toEqual([user('1')])
  })

  it.each([
    ['has said a part of its text', says('assistant', { type: 'text', text: 'So', state: 'streaming' })],
    ['has finished without a word', says('assistant', { type: 'text', text: '', state: 'done' })],
    ['does not say whether it has finished', says('assistant', { type: 'text', text: '' })],
    ['has a source', says('assistant', { type: 'source-url', sourceId: '1', url: 'https://example.org' })],
    [
      'has begun a tool call',
      says('assistant', {
        type: 'dynamic-tool',
        toolName: 'look',
        toolCallId: '1',
        state: 'input-streaming',
        input: undefined,
      }),
    ],
    ['is the user’s', says('user')],
    ['is of the system', says('system')],
  ])('keeps a last message that %s', async (_what, last) => {
    const { save, loadChat } = make()
    await save(user('1'), last)

    expect(await loadChat('a')).toEqual([user('1'), last])
  })

  it('keeps a message of the assistant without parts that is not the last', async () => {
    const { save, loadChat } = make()
    await save(says('assistant'), user('1'))

    expect(await loadChat('a')).toEqual([says('assistant'), user('1')])
  })

  it('leaves the list that it was given as it is', async () => {
    const { sessions, saveChat } = make()
    const messages = Object.freeze([user('1'), says('assistant')])
    await saveChat({ chatId: 'a', messages })

    expect(messages).toHaveLength(2)
    expect(sessions.get('a')).toHaveLength(1)
  })

  it('keeps dates, bytes and what else a deep copy keeps in metadata', async () => {
    const { save, loadChat } = make()
    const message = { ...user('1'), metadata: { at: new Date(0), bytes: new Uint8Array([1]), big: 1n } }
    await save(message)

    expect(await loadChat('a')).toEqual([message])
  })

  it('says why a message cannot be copied', async () => {
    const { save } = make()
    const error = await failureOf(() => save({ ...user('1'), metadata: { own: () => {} } }))

    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect((error as Error).cause).toBeInstanceOf(DOMException)
  })
})
