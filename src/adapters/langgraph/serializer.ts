import { Buffer } from 'node:buffer'
import type { SerializerProtocol } from '@langchain/langgraph-checkpoint'
import { elementsOf, PackedList, rememberElements } from './list-elements.ts'
import { makesTheseClasses } from './message-classes.ts'
import { type Packed, pack, unpack } from './packed.ts'
import { revive, unknownForm } from './revive.ts'
import { readStored, type StoredText } from './stored-text.ts'

/** The serializer of a saver: LangGraph's own, whose JSON is known, or one of the application. */
export class Serializer {
  readonly #serde: SerializerProtocol
  readonly #isStandard: boolean
  /** Whether its messages can be made without it: known from the first read on. */
  #isKnown: Promise<boolean> | undefined

  constructor(serde: SerializerProtocol, isStandard: boolean) {
    this.#serde = serde
    this.#isStandard = isStandard
  }

  /**
   * Returns a value as it is now.
   *
   * `what` is the value, in words for a message.
   *
   * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` for what could not be read back
   */
  pack(what: string, value: unknown): Promise<Packed> {
    return this.#isStandard && Array.isArray(value)
      ? this.#packList(what, value)
      : this.#packWhole(what, value)
  }

  async #packList(what: string, list: readonly unknown[]): Promise<Packed> {
    const elements = elementsOf(list)
    if (elements === undefined) return this.#packWhole(what, list)
    const changed = elements.filter(({ stored }) => stored === undefined)
    await Promise.all(
      changed.map(async (element) => {
        element.text = (await this.#packWhole(what, element.live)).text
      }),
    )
    return new PackedList(elements)
  }

  #packWhole(what: string, value: unknown): Promise<Packed> {
    return pack(this.#serde, what, value)
  }

  async unpack<V>(packed: Packed): Promise<V> {
    if (!this.#isStandard || packed.type !== 'json' || packed.isBinary) return unpack(this.#serde, packed)
    this.#isKnown ??= makesTheseClasses(this.#serde)
    if (!(await this.#isKnown)) return unpack(this.#serde, packed)
    const parsed: unknown = JSON.parse(packed.text)
    if (Array.isArray(parsed)) return Promise.all(parsed.map((element) => this.#revive(element))) as V
    return (await this.#revive(parsed)) as V
  }

  /** Returns the value of parsed JSON, at once if its form is known. */
  #revive(parsed: unknown): unknown {
    const value = revive(parsed)
    if (value !== unknownForm) return value
    return this.#serde.loadsTyped('json', Buffer.from(JSON.stringify(parsed)))
  }

  /** Returns a stored value. Of a list, the elements are remembered. */
  async read<V>(stored: StoredText): Promise<V> {
    const packed = readStored(stored)
    const value = await this.unpack<V>(packed)
    if (this.#isStandard && Array.isArray(value)) rememberElements(value, packed.text, stored)
    return value
  }
}
