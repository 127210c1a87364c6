import { App, type ConversationStore, LogLevel } from '@slack/bolt'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import type { Conversation } from 'session-registry/slack'
import { ManualClock } from 'session-registry/testing'
import { EventRecorder } from './event-recorder.ts'

/** The state of the conversations in tests. */
export interface Counter {
  readonly count: number
}

/** The part of a listener's arguments that a conversation store provides. */
interface ConversationContext {
  readonly conversation?: Counter
  updateConversation(state: Counter, expiresAt?: number): Promise<unknown>
}

type Listener = (context: ConversationContext, text: string) => unknown

export const timeoutMs = 60_000

/** Returns a Bolt app without a network, and a function that sends it a message in a channel. */
export function slackApp(convoStore: ConversationStore, listener: Listener) {
  const receiver = { init() {}, start: async () => {}, stop: async () => {} }
  const authorize = async () => ({ botToken: 'x', botId: 'B1', botUserId: 'U0' })
  const app = new App({ receiver, authorize, convoStore, logLevel: LogLevel.ERROR })
  const errors: unknown[] = []
  app.error(async (error) => {
    errors.push('original' in error ? error.original : error)
  })
  app.event('message', async ({ context, event }) => {
    await listener(context as unknown as ConversationContext, 'text' in event ? (event.text ?? '') : '')
  })
  const send = (channel: string, text = 'hello') =>
    app.processEvent({
      body: {
        type: 'event_callback',
        team_id: 'T1',
        event: { type: 'message', channel, user: 'U1', text, ts: '1.0', channel_type: 'channel' },
      },
      ack: async () => {},
    })
  return { send, errors }
}

/** Returns a registry of conversations on a clock that the test moves. */
export function conversations(options: SessionRegistryOptions<Conversation<Counter>> = {}) {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<Conversation<Counter>>({ clock, timeoutMs, ...options })
  return { clock, sessions, events: new EventRecorder(sessions) }
}
