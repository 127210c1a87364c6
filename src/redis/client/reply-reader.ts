import { unsupportedClientError } from './failure.ts'
import { textOf } from './reply.ts'

/**
 * A reader of the result of a script, which is a number or a flat list of numbers and strings.
 *
 * Clients differ in what they make of it: RESP2 or RESP3, strings or buffers, numbers or big integers.
 */
export class ReplyReader {
  readonly #parts: readonly unknown[]
  #next = 0

  constructor(reply: unknown) {
    this.#parts = Array.isArray(reply) ? reply : [reply]
  }

  /** The number of parts that were not read yet. */
  get remaining(): number {
    return this.#parts.length - this.#next
  }

  readNumber(): number {
    return Number(this.readText())
  }

  readText(): string {
    const part = this.#parts[this.#next]
    this.#next += 1
    if (typeof part === 'string') return part
    // By its shape: in Jest, the client's bytes are not an instance of our `Uint8Array`.
    if (ArrayBuffer.isView(part)) return textOf(part)
    if (part === null || part === undefined) return ''
    // A client that parses texts as JSON may change them in other ways as well.
    if (typeof part === 'object') throw unsupportedClientError()
    return String(part)
  }
}
