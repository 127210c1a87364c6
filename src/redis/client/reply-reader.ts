import { unsupportedClientError } from './failure.ts'
import { textOf } from './reply.ts'

/**
 * Reads the answer of a script, whatever the client makes of it: RESP2 or RESP3, strings or buffers, numbers
 * or big integers. Our scripts answer with a number or a flat list of numbers and strings.
 */
export class ReplyReader {
  readonly #parts: readonly unknown[]
  #next = 0

  constructor(reply: unknown) {
    this.#parts = Array.isArray(reply) ? reply : [reply]
  }

  /** How many parts have not been read yet. */
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
    // By its shape: in a Jest environment the client's bytes are no `Uint8Array` of ours.
    if (ArrayBuffer.isView(part)) return textOf(part)
    if (part === null || part === undefined) return ''
    // A client that reads texts as JSON: who knows what else it makes of them.
    if (typeof part === 'object') throw unsupportedClientError()
    return String(part)
  }
}
