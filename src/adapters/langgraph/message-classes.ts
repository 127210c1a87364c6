import { Buffer } from 'node:buffer'
import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  FunctionMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages'
import type { SerializerProtocol } from '@langchain/langgraph-checkpoint'

/** A class of LangChain's messages, as its serializer's `load` uses it. */
export interface MessageClass {
  new (fields: never): BaseMessage
  lc_name(): string
  readonly prototype: BaseMessage
}

/**
 * The classes of LangChain's messages that a list keeps. Their serialised form depends on their enumerable
 * own properties alone, which cannot be said of a subclass.
 */
const messageClasses: readonly MessageClass[] = [
  AIMessage,
  AIMessageChunk,
  ChatMessage,
  FunctionMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
]

const prototypes: ReadonlySet<unknown> = new Set(messageClasses.map(({ prototype }) => prototype))
const byId = new Map(messageClasses.map((one) => [`langchain_core/messages/${one.lc_name()}`, one]))

/** Whether a prototype is that of a class of LangChain's messages, of this build and version. */
export function isMessagePrototype(prototype: unknown): boolean {
  return prototypes.has(prototype)
}

/** Returns the class with this id in a serialised message. */
export function messageClassOf(id: readonly unknown[]): MessageClass | undefined {
  return byId.get(id.join('/'))
}

/**
 * Whether a serializer makes messages of these very classes. It does not if it has another copy of
 * `@langchain/core` than this adapter.
 */
export async function makesTheseClasses(serde: SerializerProtocol): Promise<boolean> {
  const samples = messageClasses.map((one) => ({
    lc: 1,
    type: 'constructor',
    id: ['langchain_core', 'messages', one.lc_name()],
    kwargs: { content: '', name: 'name', role: 'role', tool_call_id: 'id' },
  }))
  try {
    const made: readonly unknown[] = await serde.loadsTyped('json', Buffer.from(JSON.stringify(samples)))
    return messageClasses.every(({ prototype }, index) => Object.getPrototypeOf(made[index]) === prototype)
  } catch {
    return false
  }
}

/** By class, the fields with an underscore that it takes by their serialised names. */
const aliased = new Map(messageClasses.map((one) => [one, aliasesOf(one)]))

/** A name that is the same in both forms, snake case and camel case. */
const plainName = /^[a-z][a-z\d]*$/

/** Whether a field of a serialised message has the same name in what the class's constructor takes. */
export function isSameName(messageClass: MessageClass, field: string): boolean {
  if (aliased.get(messageClass)?.has(field) === true) return true
  // The loader looks names up in an object, and finds that of its constructor there.
  return plainName.test(field) && !(field in Object.prototype)
}

function aliasesOf({ prototype: own }: MessageClass): ReadonlySet<string> {
  const aliases: Record<string, string> = {}
  for (let one: object | null = own; one !== null; one = Object.getPrototypeOf(one)) {
    Object.assign(aliases, Reflect.get(one, 'lc_aliases'))
  }
  return new Set(Object.entries(aliases).flatMap(([field, alias]) => (field === alias ? [field] : [])))
}
