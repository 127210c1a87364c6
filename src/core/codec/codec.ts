import { isSessionRegistryError, SessionRegistryError } from '../errors/session-registry-error.ts'
import { checkFunction, invalidOption } from '../options/validate.ts'

/** Turns values into text and back. */
export interface SessionCodec<T> {
  encode(value: T): string
  decode(text: string): T
}

/** A codec whose failures are {@link SessionRegistryError}s. */
export class CheckedCodec<T> {
  readonly #codec: SessionCodec<T>

  constructor(codec: SessionCodec<T>) {
    this.#codec = codec
  }

  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  encode(value: T): string {
    let text: unknown
    try {
      text = this.#codec.encode(value)
    } catch (cause) {
      // The library's own codecs name the path in their error.
      if (isSessionRegistryError(cause, 'ERR_SESSION_VALUE_INVALID')) throw cause
      throw invalidValue('encoded', { cause })
    }
    if (!isStorableText(text)) throw invalidValue('encoded as well-formed text without U+0000')
    return text
  }

  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  decode(text: string): T {
    try {
      return this.#codec.decode(text)
    } catch (cause) {
      throw invalidValue('decoded', { cause })
    }
  }
}

/**
 * Whether every database stores a text unchanged: a lone surrogate would be decoded as another character, and
 * PostgreSQL text cannot contain U+0000.
 */
export function isStorableText(text: unknown): text is string {
  return typeof text === 'string' && !hasLoneSurrogate(text) && !text.includes('\0')
}

/** Whether UTF-8 cannot encode the text. */
export function hasLoneSurrogate(text: string): boolean {
  return !(text as string & { isWellFormed(): boolean }).isWellFormed()
}

function invalidValue(what: string, details?: { readonly cause: unknown }): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_VALUE_INVALID',
    `Expected the value of a session to be ${what} by the codec, but it cannot be`,
    details,
  )
}

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkCodec(name: string, value: unknown): SessionCodec<unknown> {
  if (typeof value !== 'object' || value === null) {
    throw invalidOption(name, 'an object with encode and decode', value)
  }
  const codec = value as SessionCodec<unknown>
  checkFunction(`${name}.encode`, codec.encode)
  checkFunction(`${name}.decode`, codec.decode)
  return codec
}
