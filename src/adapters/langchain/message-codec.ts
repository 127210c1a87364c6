import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  ChatMessageChunk,
  FunctionMessage,
  FunctionMessageChunk,
  HumanMessage,
  HumanMessageChunk,
  RemoveMessage,
  SystemMessage,
  SystemMessageChunk,
  ToolMessage,
  ToolMessageChunk,
} from '@langchain/core/messages'
import { unusableValue } from '../../core/errors/invalid-value.ts'
import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { setMember } from '../../core/values/set-member.ts'
import { checkMessages, isMessage } from './check-messages.ts'
import { decodeTagged } from './tagged-reader.ts'
import { encodeTagged } from './tagged-writer.ts'

const classes = {
  AIMessage,
  AIMessageChunk,
  ChatMessage,
  ChatMessageChunk,
  FunctionMessage,
  FunctionMessageChunk,
  HumanMessage,
  HumanMessageChunk,
  RemoveMessage,
  SystemMessage,
  SystemMessageChunk,
  ToolMessage,
  ToolMessageChunk,
}

type ClassName = keyof typeof classes

/**
 * The codec of message lists, for registries that keep them as text.
 *
 * Messages come back as what they were, chunks as chunks; so do the bytes, dates, maps, sets and bigints in
 * them. A message of a class of your own comes back as the LangChain class that it extends, any other
 * instance as what its `toJSON` returns, or as its fields. What could not be read back is refused when it is
 * written: an error, a regular expression, a `DataView`, an object without fields, more than 500 levels of
 * nesting.
 *
 * Not `load` of LangChain: that one is asynchronous, makes whatever class a text names, and loses bytes and
 * dates.
 */
export const messageCodec = {
  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  encode(value: readonly BaseMessage[]): string {
    checkMessages('value', value)
    try {
      return encodeTagged('value', value, toParts)
    } catch (cause) {
      if (isSessionRegistryError(cause)) throw cause
      throw unusableValue('value', 'a list of messages that can be written as text', cause)
    }
  },

  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  decode(text: string): BaseMessage[] {
    try {
      return checkMessages('messages', decodeTagged(text, fromParts) as BaseMessage[])
    } catch (cause) {
      throw unusableValue('text', 'a list of messages as `messageCodec` writes it', cause)
    }
  },
}

/** A message in parts: its class, its fields, and what its constructor was given. */
interface Parts {
  readonly class: string
  readonly fields: Record<string, unknown>
  /** Which fields are as the constructor was given them. */
  readonly given: readonly string[]
  /** What else the constructor was given. */
  readonly others: Record<string, unknown>
}

/** What every message has by its class. */
const classFields = ['lc_kwargs', 'lc_namespace', 'lc_serializable']

function toParts(message: object): Parts | undefined {
  if (!isMessage(message)) return undefined
  const given = Object.keys(message.lc_kwargs)
  const isField = (key: string) => Reflect.get(message, key) === message.lc_kwargs[key]
  return {
    class: classOf(message),
    fields: pick(message, Object.keys(message), (key) => !classFields.includes(key)),
    given: given.filter(isField),
    others: pick(message.lc_kwargs, given, (key) => !isField(key)),
  }
}

function fromParts(parts: object): BaseMessage {
  const { class: name, fields, given, others } = checkParts(parts)
  const Class = classes[name] as new (fields: object) => BaseMessage
  const message = new Class({ ...fields })
  // A constructor may rearrange what it is given, and the message that was taken apart has been through that
  // already.
  for (const [key, field] of Object.entries(fields)) setMember(message, key, field)
  message.lc_kwargs = { ...pick(message, given, () => true), ...others }
  return message
}

/** The parts of a text, which may be anybody's. */
function checkParts(parts: object): Parts & { readonly class: ClassName } {
  const { class: name, fields, given, others } = parts as Partial<Parts>
  if (!isClassName(name)) throw new TypeError('Expected the name of a class of @langchain/core/messages')
  if (typeof fields !== 'object' || typeof others !== 'object' || !Array.isArray(given)) {
    throw new TypeError('Expected the parts of a message')
  }
  return { class: name, fields, given, others }
}

/** The nearest LangChain class, by name, since LangChain's ESM and its CJS build meet in one process. */
function classOf(message: BaseMessage): ClassName {
  // The one class that has no name which survives a minifier.
  if (message._getType() === 'remove') return 'RemoveMessage'
  for (let proto = Object.getPrototypeOf(message); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const name: unknown = proto.constructor.lc_name?.()
    if (isClassName(name)) return name
  }
  throw new TypeError('Expected a message of a class of @langchain/core/messages')
}

function isClassName(name: unknown): name is ClassName {
  return typeof name === 'string' && Object.hasOwn(classes, name)
}

function pick(from: object, keys: readonly string[], isWanted: (key: string) => boolean) {
  return Object.fromEntries(keys.filter(isWanted).map((key) => [key, Reflect.get(from, key)]))
}
