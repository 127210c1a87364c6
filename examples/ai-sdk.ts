import {
  convertToModelMessages,
  createUIMessageStream,
  createUIMessageStreamResponse,
  generateId,
  streamText,
  toUIMessageStream,
  type UIMessage,
} from 'ai'
import { SessionRegistry } from 'session-registry'
import { chatStore } from 'session-registry/ai-sdk'
import { model } from './models/echo-model.ts' // needs no key; yours comes from a provider

const sessions = new SessionRegistry<UIMessage[]>({ create: () => [] })
const { loadChat, saveChat } = chatStore(sessions)

function post(id: string, message: UIMessage): Response {
  const stream = createUIMessageStream({
    execute: ({ writer }) =>
      sessions.run(id, async (_session, signal) => {
        const messages = [...(await loadChat(id)), message]
        await saveChat({ chatId: id, messages }) // the question is kept, whatever becomes of the answer
        const result = streamText({
          model,
          // A tool call that was interrupted has no result, and models refuse it.
          messages: await convertToModelMessages(messages, { ignoreIncompleteToolCalls: true }),
          abortSignal: signal,
        })
        const answer = toUIMessageStream({
          stream: result.stream,
          originalMessages: messages,
          generateMessageId: generateId,
          onEnd: ({ messages }) => saveChat({ chatId: id, messages }),
        })
        // Pumped inside the turn: it is finished and saved even if the visitor leaves.
        for await (const chunk of answer) writer.write(chunk)
      }),
  })
  return createUIMessageStreamResponse({ stream })
}

const says = (text: string): UIMessage => ({
  id: generateId(),
  role: 'user',
  parts: [{ type: 'text', text }],
})
const textOf = ({ parts }: UIMessage) => parts.map((part) => (part.type === 'text' ? part.text : '')).join('')

// Two posts at once: the second waits for the first, and sees its answer.
await Promise.all(['hello', 'and again'].map((text) => post('ada', says(text)).text()))
console.log((await loadChat('ada')).map(textOf))
