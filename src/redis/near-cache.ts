/** A version of a session's value. */
export interface KnownText {
  readonly incarnation: string
  readonly version: string
  readonly text: string
}

/** What the cache keeps at the most, in UTF-16 units of text: some hundred long histories. */
const maxUnits = 32 * 1024 * 1024

/**
 * The texts that this process last saw, so that a large history that has not changed is not sent again.
 *
 * It only saves the way: every read asks Redis whether this version is still the one.
 */
export class NearCache {
  readonly #texts = new Map<string, KnownText>()
  readonly #maxUnits: number
  #units = 0

  constructor(units = maxUnits) {
    this.#maxUnits = units
  }

  get(id: string): KnownText | undefined {
    return this.#texts.get(id)
  }

  set(id: string, known: KnownText): void {
    this.delete(id)
    if (known.text.length > this.#maxUnits) return
    this.#texts.set(id, known)
    this.#units += known.text.length
    for (const oldest of this.#texts.keys()) {
      if (this.#units <= this.#maxUnits) break
      this.delete(oldest)
    }
  }

  delete(id: string): void {
    this.#units -= this.#texts.get(id)?.text.length ?? 0
    this.#texts.delete(id)
  }
}
