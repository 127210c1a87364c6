import { App } from '@slack/bolt'
import { SessionRegistry } from 'session-registry'
import { type Conversation, conversationStore } from 'session-registry/slack'
import { askModel } from './bots/model.ts'
import { offline, sendMessage } from './bots/offline-slack.ts'

interface Chat {
  readonly messages: readonly string[]
}

const chats = new SessionRegistry<Conversation<Chat>>({ create: () => ({}), timeoutMs: 30 * 60_000 })
const app = new App({ ...offline, convoStore: conversationStore(chats) })

app.message(async ({ message, context: { conversation, updateConversation } }) => {
  if (message.subtype !== undefined) return
  const { channel, text = '' } = message
  console.log(conversation === undefined ? 'a new conversation' : 'we have talked before')
  // What is written from what was read is a turn: a second message may have come meanwhile.
  await chats.run(channel, async ({ value }) => {
    const messages = [...(value.value?.messages ?? []), text]
    const answer = await askModel(messages)
    await updateConversation({ messages: [...messages, answer] })
    console.log(answer) // await say(answer)
  })
})

app.error(async (error) => console.error(error))
await Promise.all(['I am Ada.', 'Who am I?'].map((text) => sendMessage(app, 'C1', text)))
