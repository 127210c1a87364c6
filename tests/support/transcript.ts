import type { BaseMessage } from '@langchain/core/messages'

/** A conversation in short: `human:hello`. */
export function transcript(messages: readonly BaseMessage[] | undefined): string[] {
  return (messages ?? []).map((message) => `${message._getType()}:${message.content}`)
}
