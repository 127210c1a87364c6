import { Buffer } from 'node:buffer'
import { parseJson } from '../../core/parse-json.ts'

/** The key of an object that stands for something JSON has no word for. */
const tag = '$is'

const views = {
  Buffer,
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  BigUint64Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
}

/** JSON that also keeps bytes, dates, maps, sets, bigints, `NaN` and infinities, and what `takeApart` knows. */
export function encodeTagged(value: unknown, takeApart: (value: object) => object | undefined): string {
  // A `function`, since only `this` shows a value as it was before its `toJSON`.
  return JSON.stringify(value, function (this: Record<string, unknown>, key, json: unknown) {
    const original = this[key]
    if (typeof original === 'bigint') return { [tag]: 'bigint', of: String(original) }
    if (typeof original === 'number' && !Number.isFinite(original)) {
      return { [tag]: 'number', of: String(original) }
    }
    if (typeof original !== 'object' || original === null) return json
    if (original instanceof Date) return { [tag]: 'date', of: original.getTime() }
    if (original instanceof Map) return { [tag]: 'map', of: [...original] }
    if (original instanceof Set) return { [tag]: 'set', of: [...original] }
    if (original instanceof ArrayBuffer) return { [tag]: 'ArrayBuffer', of: base64(new Uint8Array(original)) }
    if (ArrayBuffer.isView(original)) return { [tag]: original.constructor.name, of: base64(original) }
    const parts = takeApart(original)
    if (parts !== undefined) return { [tag]: 'parts', of: parts }
    // An object that has such a key by chance is written as its entries.
    return Object.hasOwn(original, tag) ? { [tag]: 'object', of: Object.entries(original) } : json
  })
}

/** Undoes {@link encodeTagged}. */
export function decodeTagged<P>(text: string, putTogether: (parts: P) => unknown): unknown {
  return parseJson(text, (_key, json: unknown) => {
    if (typeof json !== 'object' || json === null || !Object.hasOwn(json, tag)) return json
    const { [tag]: kind, of } = json as { [tag]: string; of: never }
    switch (kind) {
      case 'bigint':
        return BigInt(of)
      case 'number':
        return Number(of)
      case 'date':
        return new Date(of ?? Number.NaN)
      case 'map':
        return new Map(of)
      case 'set':
        return new Set(of)
      case 'object':
        return Object.fromEntries(of)
      case 'parts':
        return putTogether(of)
      default:
        return bytes(kind, of)
    }
  })
}

function base64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

function bytes(kind: string, text: string): unknown {
  const read = Buffer.from(text, 'base64')
  if (kind === 'Buffer') return read
  // A buffer of its own: what Node reads may lie in a pool that it shares.
  const buffer = new Uint8Array(read).buffer
  if (kind === 'ArrayBuffer') return buffer
  if (!Object.hasOwn(views, kind)) throw new TypeError('Expected a value of a known kind')
  const View = views[kind as Exclude<keyof typeof views, 'Buffer'>]
  return new View(buffer)
}
