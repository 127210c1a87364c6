import type { App, Receiver } from '@slack/bolt'

/**
 * Options of an app that receives no request and has no token; a real one has `token` and `signingSecret`.
 */
export const offline = {
  receiver: { init() {}, async start() {}, async stop() {} } satisfies Receiver,
  authorize: async () => ({ botToken: 'none', botId: 'B1', botUserId: 'U0' }),
}

/** Hands an app an event as Slack sends it for a message in a channel. */
export function sendMessage(app: App, channel: string, text: string): Promise<void> {
  const event = { type: 'message', channel, channel_type: 'channel', user: 'U1', text, ts: '1.0' }
  return app.processEvent({ body: { type: 'event_callback', team_id: 'T1', event }, ack: async () => {} })
}
