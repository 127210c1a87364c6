import { parseJson } from '../../core/codec/parse-json.ts'
import { invalidValue, unusableValue } from '../../core/errors/invalid-value.ts'
import { readLegacyThread } from './legacy-thread-text.ts'
import type { Thread } from './thread.ts'
import { readThread } from './thread-reader.ts'
import { formatVersion } from './thread-text.ts'
import { writeThread } from './thread-writer.ts'

/**
 * The codec of threads, for registries that store text.
 *
 * Serialised values stay byte for byte as they are, and what checkpoints share is written once.
 */
export const threadCodec = {
  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  encode(thread: Thread): string {
    if (!isThread(thread)) throw invalidValue('thread', 'what `newThread` makes', thread)
    try {
      return JSON.stringify(writeThread(thread))
    } catch (cause) {
      throw unusableValue('thread', 'what `newThread` makes and a `SessionSaver` fills', cause)
    }
  },

  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  decode(text: string): Thread {
    try {
      return read(parseJson(text))
    } catch (cause) {
      throw unusableValue('text', 'a thread as `threadCodec` writes it', cause)
    }
  },
}

function read(text: unknown): Thread {
  const { version } = (text ?? {}) as { readonly version?: unknown }
  if (version === undefined) return readLegacyThread(text)
  if (version === formatVersion) return readThread(text)
  throw new TypeError('Expected the text of a version that is known')
}

function isThread(value: unknown): value is Thread {
  return (value as Thread | null | undefined)?.namespaces instanceof Map
}
