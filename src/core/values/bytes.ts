import { Buffer } from 'node:buffer'
import { types } from 'node:util'

type ViewClass = new (buffer: ArrayBuffer) => ArrayBufferView

/** The classes of views that this runtime has, by name. */
const viewClasses: ReadonlyMap<string, ViewClass> = new Map(
  [
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
    DataView,
  ].map((one) => [one.name, one as ViewClass]),
)

const typedArrayName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get

/**
 * Returns the name of the built-in class of bytes that a value is of, also for a subclass; `undefined` for
 * anything else.
 */
export function bytesName(value: unknown): string | undefined {
  if (Buffer.isBuffer(value)) return 'Buffer'
  if (types.isDataView(value)) return 'DataView'
  if (types.isArrayBuffer(value)) return 'ArrayBuffer'
  if (types.isSharedArrayBuffer(value)) return 'SharedArrayBuffer'
  return typedArrayName?.call(value)
}

/** Returns the bytes of a value that {@link bytesName} names: a view, not a copy. */
export function bytesOf(value: object): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value as ArrayBuffer)
}

/**
 * Returns a value of the named class with a copy of these bytes, in its own buffer; `undefined` where this
 * runtime has no such class.
 */
export function bytesFrom(name: string, bytes: Uint8Array): object | undefined {
  // Not a slice of the buffer: what Node reads may be in a shared pool.
  const { buffer } = new Uint8Array(bytes)
  if (name === 'Buffer') return Buffer.from(buffer)
  if (name === 'ArrayBuffer' || name === 'SharedArrayBuffer') return buffer
  const View = viewClasses.get(name)
  return View === undefined ? undefined : new View(buffer)
}
