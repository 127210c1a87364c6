/**
 * Reads the commands out of the bytes that a Redis client sends: arrays of strings, each preceded by its
 * length.
 */
export class RequestReader {
  readonly #onCommand: (name: string) => void
  #rest: Buffer = Buffer.alloc(0)
  #partsLeft = 0
  #isName = false

  constructor(onCommand: (name: string) => void) {
    this.#onCommand = onCommand
  }

  read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      const end = this.#rest.indexOf('\r\n', at)
      if (end < 0) break
      const length = Number(this.#rest.toString('latin1', at + 1, end))
      if (this.#partsLeft === 0) {
        this.#partsLeft = length
        this.#isName = true
        at = end + 2
        continue
      }
      const next = end + 2 + length + 2
      if (next > this.#rest.length) break
      if (this.#isName) this.#onCommand(this.#rest.toString('latin1', end + 2, next - 2).toUpperCase())
      this.#isName = false
      this.#partsLeft -= 1
      at = next
    }
    this.#rest = this.#rest.subarray(at)
  }
}
