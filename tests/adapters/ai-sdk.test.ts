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
    { ...user('secret'), parts: [null] },
    { ...user('secret'), parts: ['secret'] },
    { ...user('secret'), parts: [{ text: 'secret' }] },
    { ...user('secret'), parts: new Array(1) },
    { ...user('secret'), parts: { 0: { type: 'text' } } },
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

  it('empty list: empties the chat, and the session lives on', async () => {
    const { sessions, save, loadChat } = make()
    await save(user('1'))
    const life = sessions.peek('a')
    await save()

    expect(await loadChat('a')).toEqual([])
    expect(sessions.peek('a')).toBe(life)
  })

  const begun: Part[] = [
    { type: 'step-start' },
    { type: 'text', text: '', state: 'streaming' },
    { type: 'reasoning', text: '', state: 'streaming' },
  ]
  const source: Part = { type: 'source-url', sourceId: '1', url: 'https://example.org' }

  it.each<[what: string, parts: Part[]]>([
    ['without parts', []],
    ['whose step has only begun', begun.slice(0, 1)],
    ['whose text has only begun', begun.slice(0, 2)],
    ['whose reasoning has only begun', begun],
    ['whose text is empty', [{ type: 'text', text: '', state: 'done' }]],
    ['whose text is blank', [{ type: 'text', text: ' \n\u00a0\t' }]],
    ['that has thought and not spoken', [{ type: 'reasoning', text: 'The user wants…', state: 'done' }]],
    ['that has found a source and not spoken', [begun[0] as Part, source]],
  ])('drops an empty last message of the assistant: %s', async (_what, parts) => {
    const { save, loadChat } = make()
    await save(user('1'), says('assistant', ...parts))

    expect(await loadChat('a')).toEqual([user('1')])
  })

  it.each([
    ['has said a part of its text', says('assistant', { type: 'text', text: 'So', state: 'streaming' })],
    ['has spoken after a blank', says('assistant', { type: 'text', text: ' ' }, { type: 'text', text: '.' })],
    ['has a file', says('assistant', { type: 'file', mediaType: 'image/png', url: 'data:,' })],
    ['has data', says('assistant', { type: 'data-weather', data: { degrees: 21 } })],
    ['has what is not known here', says('assistant', { type: 'custom', kind: 'a.b' })],
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
  ])('keeps a last message: %s', async (_what, last) => {
    const { save, loadChat } = make()
    await save(user('1'), last)

    expect(await loadChat('a')).toEqual([user('1'), last])
  })

  it('keeps an empty message of the assistant that is not the last', async () => {
    const { save, loadChat } = make()
    await save(says('assistant'), user('1'))

    expect(await loadChat('a')).toEqual([says('assistant'), user('1')])
  })

  it('does not change the list that it was passed', async () => {
    const { sessions, saveChat } = make()
    const messages = Object.freeze([user('1'), says('assistant')])
    await saveChat({ chatId: 'a', messages })

    expect(messages).toHaveLength(2)
    expect(sessions.get('a')).toHaveLength(1)
  })

  it('keeps dates, bytes and everything else of a deep copy in metadata', async () => {
    const { save, loadChat } = make()
    const message = { ...user('1'), metadata: { at: new Date(0), bytes: new Uint8Array([1]), big: 1n } }
    await save(message)

    expect(await loadChat('a')).toEqual([message])
  })

  it('drops functions, and uses `toJSON`', async () => {
    const { save, loadChat } = make()
    await save({ ...user('1'), metadata: { own: () => {}, page: new URL('https://example.org/a') } })

    expect(await loadChat('a')).toEqual([{ ...user('1'), metadata: { page: 'https://example.org/a' } }])
  })

  it('names the entry and the path of a value that cannot be copied, and the cause', async () => {
    const { save, sessions } = make()
    const cause = new Error('secret')
    const metadata = {
      get own() {
        throw cause
      },
    }
    const error = (await failureOf(() => save(user('1'), { ...user('2'), metadata }))) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(error.message).toBe('Expected `messages[1].metadata.own` to be data that can be copied')
    expect(error.cause).toBe(cause)
    expect(sessions.size).toBe(0)
  })

  it('names the entry that is not a message', async () => {
    const { save } = make()
    const error = (await failureOf(() => save(user('1'), { ...user('2'), parts: [null as never] }))) as Error

    expect(error.message).toBe(
      'Expected `messages[1]` to be a UIMessage: an object with `id`, `role`, and `parts` that each have a `type`, got an object',
    )
  })
})
