import type { UIMessage } from 'ai'
import { copiedList } from '../core/copied-list.ts'
import { type GivenId, givenId } from '../core/given-id.ts'
import { givenSource } from '../core/given-source.ts'
import type { SessionSource } from '../core/session-source.ts'
import { checkObject } from '../core/validate.ts'

/** Where the chats of an AI SDK server are kept: what its guide on message persistence calls `loadChat` and `saveChat`. */
export interface ChatStore<M extends UIMessage> {
  /**
   * A copy of the chat's messages; none for a chat that is not there. Activity. It waits for no turn and creates nothing.
   *
   * Rejects with `ERR_SESSION_ID_INVALID`.
   */
  loadChat(this: void, id: GivenId): Promise<M[]>
  /**
   * Replaces the chat's messages by a copy of these. Activity. Outside a turn it is a short turn of its own; inside
   * `sessions.run(id, …)` it joins that turn.
   *
   * A last assistant message that says nothing, which is what a cancelled stream leaves, is not kept.
   *
   * Rejects with `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_ID_INVALID`, and with `ERR_SESSION_VALUE_INVALID` where a
   * message is none.
   */
  saveChat(this: void, chat: { readonly chatId: GivenId; readonly messages: readonly M[] }): Promise<void>
}

/**
 * `loadChat` and `saveChat` for the AI SDK, over a registry of message lists.
 *
 * A save replaces the whole list, so whatever came between the load and the save is lost. Hence each request is a turn
 * in which the stream is pumped as well: `sessions.run(id, …)` around `loadChat`, `streamText` and `pipeTo`.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const sessions = new SessionRegistry<UIMessage[]>({ create: () => [] })
 * const { loadChat, saveChat } = chatStore(sessions)
 */
export function chatStore<M extends UIMessage>(source: SessionSource<M[]>): ChatStore<M> {
  givenSource(source)
  return {
    loadChat: async (id) => {
      const messages = await source.run(givenId(id), ({ value }) => structuredClone(value), {
        whenBusy: 'join',
        create: false,
      })
      return messages ?? []
    },

    saveChat: async (chat) => {
      const { chatId, messages } = checkObject('chat', chat)
      const id = givenId(chatId, '`chatId`')
      const saved = copiedList('messages', messages, messageRule, isMessage)
      const last = saved.at(-1)
      if (last?.role === 'assistant' && last.parts.every(saysNothing)) saved.pop()
      await source.run(id, (session) => {
        session.value = saved
      })
    },
  }
}

const messageRule = 'a UIMessage: an object with `id`, `role` and `parts`'

/** Whether a stream left this behind when it was cancelled before the first word. An empty text is refused by models. */
function saysNothing(part: UIMessage['parts'][number]): boolean {
  if (part.type === 'step-start') return true
  return (part.type === 'text' || part.type === 'reasoning') && part.state === 'streaming' && part.text === ''
}

function isMessage(message: unknown): boolean {
  if (typeof message !== 'object' || message === null) return false
  const { id, role, parts } = message as { readonly [field in keyof UIMessage]?: unknown }
  return typeof id === 'string' && typeof role === 'string' && Array.isArray(parts)
}
