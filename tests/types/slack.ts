import { App, type ConversationStore } from '@slack/bolt'
import type { SessionRegistry } from 'session-registry'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { type Conversation, conversationStore } from 'session-registry/slack'

interface State {
  readonly count: number
}

/** Checked by `tsc`, never run: a line marked with `@ts-expect-error` fails if it compiles. */
export function types(
  sessions: SessionRegistry<Conversation<State>>,
  shared: RedisSessionRegistry<Conversation<State>>,
  lists: SessionRegistry<string[]>,
) {
  const convoStore: ConversationStore<State> = conversationStore(sessions)
  // @ts-expect-error: a state of something else
  const other: ConversationStore<string> = conversationStore(sessions)
  // @ts-expect-error: sessions of something else
  conversationStore(lists)
  return [new App({ convoStore }), new App({ convoStore: conversationStore(shared) }), other]
}
