import type { UIMessage } from 'ai'
import { type SessionIdInput, toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import { checkObject, checkOptions, checkPositive } from '../../core/options/validate.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { applyPause, defaultPausedTimeoutMs } from '../../core/time/paused-timeout.ts'
import { cloneList, type ListRules } from '../../core/values/clone-list.ts'
import { cloneValue } from '../../core/values/clone-value.ts'
import { isEmptyMessage, isMessage, waitsForApproval } from './message-parts.ts'

/** Options of {@link chatStore}. */
export interface ChatStoreOptions {
  /**
   * The idle timeout of a chat whose last message has a tool call that waits for an approval, until it goes
   * on.
   *
   * Milliseconds; positive, or `Infinity` for no idle limit. Age, capacity and `delete` still end it.
   *
   * @defaultValue 604_800_000 (7 days)
   */
  readonly pausedTimeoutMs?: number | undefined
}

/** The `loadChat` and `saveChat` of the AI SDK's guide on message persistence. */
export interface ChatStore<M extends UIMessage> {
  /**
   * Returns a copy of the chat's messages, an empty list for an unknown chat. Activity. It waits for no turn
   * and creates nothing.
   *
   * Rejects with `ERR_SESSION_ID_INVALID`.
   */
  loadChat(this: void, id: SessionIdInput): Promise<M[]>
  /**
   * Replaces the chat's messages by a copy of these. Activity. Outside a turn it is a short turn of its own;
   * inside `sessions.run(id, …)` it joins that turn.
   *
   * The copy keeps what JSON keeps. The output of a tool is stored as the JSON that the browser got, and
   * never rejects the list. A last assistant message without text, tool call, file and data is dropped: a
   * cancelled stream leaves such a message.
   *
   * Rejects with `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_ID_INVALID`, and with `ERR_SESSION_VALUE_INVALID`
   * where a message is not one.
   */
  saveChat(
    this: void,
    chat: { readonly chatId: SessionIdInput; readonly messages: readonly M[] },
  ): Promise<void>
}

/**
 * Returns `loadChat` and `saveChat` for the AI SDK, for a registry of message lists.
 *
 * A save replaces the whole list: what was added between the load and the save is lost. So make each request
 * one turn, and consume the stream inside it: `sessions.run(id, …)` around `loadChat`, `streamText` and
 * `pipeTo`.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const sessions = new SessionRegistry<UIMessage[]>({ create: () => [] })
 * const { loadChat, saveChat } = chatStore(sessions)
 */
export function chatStore<M extends UIMessage>(
  source: SessionSource<M[]>,
  options?: ChatStoreOptions,
): ChatStore<M> {
  assertSource(source)
  const { pausedTimeoutMs = defaultPausedTimeoutMs } = checkOptions('options', options, ['pausedTimeoutMs'])
  checkPositive('pausedTimeoutMs', pausedTimeoutMs)
  return {
    loadChat: async (id) => {
      const read = ({ value }: { value: M[] }) => cloneValue('messages', value, messageRules)
      return (await source.run(toSessionId(id), read, { whenBusy: 'join', create: false })) ?? []
    },

    saveChat: async (chat) => {
      const { chatId, messages } = checkObject('chat', chat)
      const id = toSessionId(chatId, '`chatId`')
      const saved = cloneList('messages', messages, messageRules)
      const last = saved.at(-1)
      if (last !== undefined && isEmptyMessage(last)) saved.pop()
      await source.run(id, (session) => {
        const wasPaused = waitsForApproval(session.value)
        session.value = saved
        applyPause(session, wasPaused, waitsForApproval(saved), pausedTimeoutMs)
      })
    },
  }
}

const messageRules: ListRules = {
  rule: 'a UIMessage: an object with `id`, `role`, and `parts` that each have a `type`',
  isEntry: isMessage,
  isToolOutput: (holder, key) => key === 'output' && 'toolCallId' in holder,
}
