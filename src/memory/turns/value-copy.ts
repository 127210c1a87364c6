import type { CheckedCodec } from '../../core/codec/codec.ts'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'

/** Returns a copy of a session's value that shares nothing with it. */
export type CopyValue<T> = (value: T) => T

/**
 * The copies that `rollback` takes: by the codec where there is one, else as `structuredClone` makes them.
 */
export function createCopier<T>(codec: CheckedCodec<T> | undefined): CopyValue<T> {
  return codec === undefined ? structuredCopy : (value) => codec.decode(codec.encode(value))
}

/** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
function structuredCopy<T>(value: T): T {
  let copy: T
  try {
    copy = structuredClone(value)
  } catch (cause) {
    throw notCopyable(cause)
  }
  if (!isFaithful(value, copy)) throw notCopyable(new Error('An object in it would lose its class'))
  return copy
}

/**
 * Whether every object in the copy is of the same kind as its original: `structuredClone` makes plain objects
 * of instances.
 */
function isFaithful(value: unknown, copy: unknown): boolean {
  const seen = new Set<object>()
  const pairs: [unknown, unknown][] = [[value, copy]]
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [original, copied] = pair
    if (!isObject(original) || !isObject(copied) || seen.has(original)) continue
    seen.add(original)
    if (Math.max(ancestry(original), 1) !== ancestry(copied)) return false
    const parts = partsOf(copied)
    for (const [index, part] of partsOf(original).entries()) pairs.push([part, parts[index]])
  }
  return true
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/**
 * How many prototypes an object has. Not which, for they are others where it comes from another realm, as in
 * Jest.
 */
function ancestry(value: object): number {
  let count = 0
  for (let at: object | null = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at))
    count += 1
  return count
}

function partsOf(value: object): unknown[] {
  if (value instanceof Map) return [...value].flat()
  if (value instanceof Set) return [...value]
  return ArrayBuffer.isView(value) ? [] : Object.values(value)
}

function notCopyable(cause: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_VALUE_INVALID',
    'Expected the value of a session to be one that `structuredClone` can copy, for `rollback`, but it is not: give a `codec`',
    { cause },
  )
}
