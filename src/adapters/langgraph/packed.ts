import { Buffer, isUtf8 } from 'node:buffer'
import type { SerializerProtocol } from '@langchain/langgraph-checkpoint'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { nestingOf } from './json-text.ts'

/** A serialised value, as text. */
export interface Packed {
  /** The type that the serializer returned. */
  readonly type: string
  /** Whether the bytes are not UTF-8: then the text is their base64. */
  readonly isBinary: boolean
  readonly text: string
}

/**
 * The deepest nesting that is stored. LangGraph's serializer writes much deeper values, but cannot read them.
 */
const maxNesting = 500

/** What LangGraph's serializer writes instead of a whole value that contains a bigint. */
const unserializable = '"[unable to serialize, circular reference is too complex to analyze]"'

/**
 * Returns a value as the serializer writes it.
 *
 * Text, not bytes: stores take text, equal texts can be shared, and an array of bytes of its own needs 200
 * bytes more.
 *
 * `what` is the value, in words for a message.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` for what could not be read back
 */
export async function pack(serde: SerializerProtocol, what: string, value: unknown): Promise<Packed> {
  const [type, bytes] = await serde.dumpsTyped(value)
  const packed = packedFrom(type, bytes)
  if (type === 'json' && !packed.isBinary) checkJson(what, packed.text)
  return packed
}

/** Returns a copy of the bytes as text, since their owner may change them. */
export function packedFrom(type: string, bytes: Uint8Array): Packed {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isUtf8(view)
    ? { type, isBinary: false, text: view.toString() }
    : { type, isBinary: true, text: view.toString('base64') }
}

function checkJson(what: string, text: string): void {
  if (text === unserializable) throw refusal(what, 'data that the serializer keeps, got a bigint or the like')
  if (nestingOf(text) <= maxNesting) return
  throw refusal(what, `nested at most ${maxNesting} levels deep`)
}

function refusal(what: string, rule: string): SessionRegistryError {
  return new SessionRegistryError('ERR_SESSION_VALUE_INVALID', `Expected ${what} to be ${rule}`)
}

export async function unpack<V>(serde: SerializerProtocol, { type, isBinary, text }: Packed): Promise<V> {
  // In a buffer of its own, which its reader may change.
  const bytes = isBinary ? new Uint8Array(Buffer.from(text, 'base64')) : new TextEncoder().encode(text)
  return serde.loadsTyped(type, bytes)
}
