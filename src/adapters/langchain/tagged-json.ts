/** The key of an object that represents what JSON cannot express. */
export const tag = '$is'

/**
 * The deepest nesting that is written and read: the same, so that what was written can be read with any
 * stack.
 */
export const maxDepth = 500

/** The numbers that JSON cannot express, by name. */
export const numbers: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

/** The classes of bytes that are written and read. Others are rejected, since some runtime lacks them. */
export const bytesNames: ReadonlySet<string> = new Set([
  'ArrayBuffer',
  'BigInt64Array',
  'BigUint64Array',
  'Buffer',
  'Float32Array',
  'Float64Array',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
])
