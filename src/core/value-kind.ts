import { Buffer } from 'node:buffer'
import { types } from 'node:util'

const typedArrayName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get

/** Whether the value is an object literal or a list, also one of another realm (`vm`, Jest). */
export function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value)
  if (proto === Object.prototype || proto === Array.prototype || proto === null) return true
  // In another realm the prototype is another object of the same make.
  const name = Array.isArray(value) ? 'Array' : 'Object'
  return Object.hasOwn(proto as object, 'constructor') && isNativeConstructor(proto as object, name)
}

function isNativeConstructor(proto: object, name: string): boolean {
  const make: unknown = proto.constructor
  return (
    typeof make === 'function' &&
    make.name === name &&
    /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(make))
  )
}

/** The name of the class of bytes that a value is a view of, whatever class extends it; `undefined` for anything else. */
export function bytesName(value: unknown): string | undefined {
  if (Buffer.isBuffer(value)) return 'Buffer'
  if (types.isDataView(value)) return 'DataView'
  if (types.isArrayBuffer(value)) return 'ArrayBuffer'
  if (types.isSharedArrayBuffer(value)) return 'SharedArrayBuffer'
  return typedArrayName?.call(value)
}

/** The name of what an object is, for a message. */
export function objectKind(value: object): string {
  const name = types.isDate(value)
    ? 'Date'
    : types.isMap(value)
      ? 'Map'
      : types.isSet(value)
        ? 'Set'
        : bytesName(value)
  if (name !== undefined) return /^[AEIOU](?!int)/.test(name) ? `an ${name}` : `a ${name}`
  const className = classNameOf(value)
  return typeof className === 'string' && /^[\w$]{1,40}$/.test(className)
    ? `an instance of ${className}`
    : 'an instance of a class'
}

function classNameOf(value: object): unknown {
  try {
    return value.constructor?.name
  } catch {
    // A getter or a proxy that refuses: the message does without.
    return undefined
  }
}
