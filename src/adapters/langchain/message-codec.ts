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
 * The codec of message lists, for registries that store text.
 *
 * Messages keep their classes, chunks too; so do bytes, dates, maps, sets and bigints in them. A message of
 * your own class becomes the LangChain class that it extends, any other instance the result of its `toJSON`,
 * or its fields. What could not be decoded is rejected when it is encoded: an error, a regular expression, a
 * `DataView`, an instance without fields, more than 500 levels of nesting.
 *
 * Not LangChain's `load`, which is asynchronous, instantiates whatever class a text names, and loses bytes
 * and dates.
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

/** The parts of a message: its class, its fields, and the arguments of its constructor. */
interface Parts {
  readonly class: string
  readonly fields: Record<string, unknown>
  /** The names of the fields that have the value of the argument. */
  readonly given: readonly string[]
  /** The other arguments of the constructor. */
  readonly others: Record<string, unknown>
}

/** The fields that a message has by its class. */
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
  // A constructor may change its arguments, and these fields have been through it already.
  for (const [key, field] of Object.entries(fields)) setMember(message, key, field)
  message.lc_kwargs = { ...pick(message, given, () => true), ...others }
  return message
}

/** Returns the parts of a message from a text that is not trusted. */
function checkParts(parts: object): Parts & { readonly class: ClassName } {
  const { class: name, fields, given, others } = parts as Partial<Parts>
  if (!isClassName(name)) throw new TypeError('Expected the name of a class of @langchain/core/messages')
  if (typeof fields !== 'object' || typeof others !== 'object' || !Array.isArray(given)) {
    throw new TypeError('Expected the parts of a message')
  }
  return { class: name, fields, given, others }
}

/**
 * Returns the nearest LangChain class, by name, since LangChain's ESM and its CJS build may be loaded in one
 * process.
 */
function classOf(message: BaseMessage): ClassName {
  // The only class without a name that survives a minifier.
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

function pick(from: object, keys: readonly string[], matches: (key: string) => boolean) {
  return Object.fromEntries(keys.filter(matches).map((key) => [key, Reflect.get(from, key)]))
}
