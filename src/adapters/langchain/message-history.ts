import { BaseListChatMessageHistory } from '@langchain/core/chat_history'
import type { BaseMessage } from '@langchain/core/messages'
import { type SessionIdInput, toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { checkMessages, cloneMessages, storedMessages } from './check-messages.ts'
import { recordingFailure } from './store-outcome.ts'

/**
 * Returns the `getMessageHistory` of a `RunnableWithMessageHistory`: histories in the sessions of `source`.
 *
 * Each call of a history looks its session up by id. A read waits for no turn, is activity and creates
 * nothing. A write is a short turn of its own, or part of the running turn that it is made in. Messages are
 * copied on their way in and out; a copy keeps its class, what JSON keeps, and dates, maps, sets and bytes.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`; the function that it returns throws
 *   `ERR_SESSION_ID_INVALID`
 *
 * @example
 * const histories = new SessionRegistry<BaseMessage[]>({ create: () => [] })
 * const getMessageHistory = messageHistories(histories)
 * const chain = new RunnableWithMessageHistory({ runnable: model, getMessageHistory })
 */
export function messageHistories(
  source: SessionSource<BaseMessage[]>,
): (sessionId: SessionIdInput) => BaseListChatMessageHistory {
  assertSource(source)
  return (sessionId) => new SessionMessageHistory(source, toSessionId(sessionId))
}

class SessionMessageHistory extends BaseListChatMessageHistory {
  readonly lc_namespace = ['session_registry', 'langchain']
  readonly #source: SessionSource<BaseMessage[]>
  readonly #id: string

  constructor(source: SessionSource<BaseMessage[]>, id: string) {
    super()
    this.#source = source
    this.#id = id
  }

  override async getMessages(): Promise<BaseMessage[]> {
    const copy = ({ value }: { value: BaseMessage[] }) => cloneMessages('messages', storedMessages(value))
    const read = () => this.#source.run(this.#id, copy, { whenBusy: 'join', create: false })
    return (await recordingFailure(read)) ?? []
  }

  override addMessage(message: BaseMessage): Promise<void> {
    return this.addMessages([message])
  }

  /** Adds the messages in one turn, so that those of other turns cannot come in between. */
  override addMessages(messages: BaseMessage[]): Promise<void> {
    return recordingFailure(async () => {
      const added = cloneMessages('messages', checkMessages('messages', messages))
      if (added.length === 0) return
      await this.#source.run(this.#id, ({ value }) => {
        const messages = storedMessages(value)
        for (const message of added) messages.push(message)
      })
    })
  }

  /** Empties the list; the session stays. */
  override async clear(): Promise<void> {
    const empty = ({ value }: { value: BaseMessage[] }) => {
      value.length = 0
    }
    await this.#source.run(this.#id, empty, { create: false })
  }
}
