import { Buffer } from 'node:buffer'
import { invalidValue, unusableValue } from '../../core/invalid-value.ts'
import { parseJson } from '../../core/parse-json.ts'
import { newThread, type Thread } from './thread.ts'

/**
 * The codec of threads, for registries that keep them as text.
 *
 * What the serializer has made stays byte for byte as it is, and what checkpoints share is written once.
 */
export const threadCodec = {
  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  encode(thread: Thread): string {
    if (!isThread(thread)) throw invalidValue('thread', 'what `newThread` makes', thread)
    const pieces: string[] = []
    const places = new Map<Uint8Array, number>()
    const place = (bytes: Uint8Array): number => {
      let found = places.get(bytes)
      if (found === undefined) {
        found =
          pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')) - 1
        places.set(bytes, found)
      }
      return found
    }
    // A `function`, since only `this` shows a value as it was before its `toJSON`. A thread is ours down to the bytes:
    // no object in it has a key `map` or `piece` by chance.
    const text = JSON.stringify(thread, function (this: Record<string, unknown>, key, json: unknown) {
      const value = this[key]
      if (value instanceof Map) return { map: [...value] }
      if (value instanceof Uint8Array) return { piece: place(value) }
      return value === Number.POSITIVE_INFINITY ? 'Infinity' : json
    })
    return `{"pieces":${JSON.stringify(pieces)},"thread":${text}}`
  },

  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  decode(text: string): Thread {
    try {
      return Object.assign(newThread(), read(text))
    } catch (cause) {
      throw unusableValue('text', 'a thread as `threadCodec` writes it', cause)
    }
  },
}

function read(text: string): Thread {
  let pieces: Uint8Array[] = []
  const { thread } = parseJson(text, (key, json) => {
    // They stand before the thread, and so they are here when it asks for them.
    if (key === 'pieces') pieces = json.map((one: string) => Uint8Array.from(Buffer.from(one, 'base64')))
    if (key === 'timeoutBeforePauseMs') return Number(json)
    if (Array.isArray(json?.map)) return new Map(json.map)
    return typeof json?.piece === 'number' ? pieces[json.piece] : json
  }) as { readonly thread?: unknown }
  if (!isThread(thread)) throw new TypeError('Expected the text of a thread')
  return thread
}

function isThread(value: unknown): value is Thread {
  return (value as Thread | null | undefined)?.namespaces instanceof Map
}
