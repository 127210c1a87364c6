import { types } from 'node:util'
import { bytesName } from './bytes.ts'

/** Whether the value is a plain object or an array, of this realm or another (`vm`, Jest). */
export function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value)
  if (proto === Object.prototype || proto === Array.prototype || proto === null) return true
  // Another realm has its own prototypes.
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

/** Returns the kind of an object, for a message. */
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
    // A getter or a proxy that throws.
    return undefined
  }
}
