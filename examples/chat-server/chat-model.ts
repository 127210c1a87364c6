import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { SimpleChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages'
import type { Message } from './message.ts'
import type { Responder } from './responder.ts'

/** Returns a responder that answers through a LangChain chat model. */
export function throughChatModel(model: BaseChatModel): Responder {
  return async (history, signal) => (await model.invoke(history.map(toLangChain), { signal })).text
}

/** A chat model that answers through a responder: the model that is used without a key. */
export class FakeChatModel extends SimpleChatModel {
  readonly #respond: Responder

  constructor(respond: Responder) {
    super({})
    this.#respond = respond
  }

  override _llmType(): string {
    return 'fake'
  }

  override _call(messages: BaseMessage[], { signal }: this['ParsedCallOptions']): Promise<string> {
    return this.#respond(messages.map(fromLangChain), signal ?? new AbortController().signal)
  }
}

/**
 * Returns the model of a name such as `openai:gpt-5-mini`. It needs the package of its provider
 * (`npm install @langchain/openai`), which LangChain loads only here.
 */
export async function realChatModel(name: string): Promise<BaseChatModel> {
  const { initChatModel } = await import('langchain')
  return initChatModel(name) as Promise<unknown> as Promise<BaseChatModel>
}

function toLangChain({ role, text }: Message): BaseMessage {
  return role === 'visitor' ? new HumanMessage(text) : new AIMessage(text)
}

function fromLangChain(message: BaseMessage): Message {
  return { role: message.type === 'human' ? 'visitor' : 'bot', text: message.text }
}
