import { isMessagePrototype } from './message-classes.ts'

/**
 * All that the serialised form of a live value depends on: kinds of objects, keys, and primitive values, in
 * the order of a walk. It refers to the value's strings and to none of its objects.
 */
export type Snapshot = readonly unknown[]

/** The deepest nesting of a value with a snapshot. */
const maxDepth = 100

/** Stands for the kind of an object without a prototype. */
const noPrototype = Symbol('no prototype')

/**
 * Returns the snapshot of an element of a list; `undefined` if its form depends on more than a walk can see:
 * an object of a class other than LangChain's messages, a function, a bigint, a cycle.
 */
export function takeSnapshot(element: unknown, list: readonly unknown[]): Snapshot | undefined {
  const walk = new Walk(list)
  return walk.add(element) ? walk.snapshot : undefined
}

class Walk {
  readonly snapshot: unknown[] = []
  /** The objects that contain what is added. */
  readonly #path: object[]

  constructor(list: object) {
    this.#path = [list]
  }

  /** Adds a value, or returns `false` if there is no snapshot of it. */
  add(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) {
      this.snapshot.push(value)
      return typeof value !== 'function' && typeof value !== 'bigint' && typeof value !== 'symbol'
    }
    if (this.#path.length > maxDepth || this.#path.includes(value) || !isTransparent(value)) return false
    this.#path.push(value)
    const isAdded = Array.isArray(value) ? this.#addList(value) : this.#addFields(value)
    this.#path.pop()
    return isAdded
  }

  #addList(list: readonly unknown[]): boolean {
    this.snapshot.push(kindOf(list), list.length)
    for (let index = 0; index < list.length; index += 1) {
      if (!this.add(list[index])) return false
    }
    return true
  }

  #addFields(value: object): boolean {
    const keys = Object.keys(value)
    this.snapshot.push(kindOf(value), keys.length)
    return keys.every((key) => {
      this.snapshot.push(key)
      return this.add((value as Readonly<Record<string, unknown>>)[key])
    })
  }
}

/** Whether the form of an object depends on its enumerable own properties alone. */
export function isTransparent(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  if (isMessagePrototype(prototype)) return !Object.hasOwn(value, 'toJSON')
  const isPlain = prototype === Object.prototype || prototype === Array.prototype || prototype === null
  return isPlain && (value as { readonly toJSON?: unknown }).toJSON === undefined
}

function kindOf(value: object): unknown {
  return Object.getPrototypeOf(value) ?? noPrototype
}

/** Whether a value is as it was when this snapshot of it was taken. */
export function isAsIn(snapshot: Snapshot, value: unknown): boolean {
  return compare(value, snapshot, 0) === snapshot.length
}

/** Returns the index after the part of the snapshot that is of this value; -1 if they differ. */
function compare(value: unknown, snapshot: Snapshot, from: number): number {
  // `NaN` differs from itself, which only makes it be serialised again.
  if (typeof value !== 'object' || value === null) return value === snapshot[from] ? from + 1 : -1
  if (kindOf(value) !== snapshot[from]) return -1
  let at = from + 2
  if (Array.isArray(value)) {
    if (value.length !== snapshot[from + 1]) return -1
    for (let index = 0; index < value.length && at > 0; index += 1) at = compare(value[index], snapshot, at)
    return at
  }
  const keys = Object.keys(value)
  if (keys.length !== snapshot[from + 1]) return -1
  for (const key of keys) {
    if (key !== snapshot[at]) return -1
    at = compare((value as Readonly<Record<string, unknown>>)[key], snapshot, at + 1)
    if (at < 0) return -1
  }
  return at
}
