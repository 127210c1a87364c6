/** The key of an object that stands for something that JSON has no word for. */
export const tag = '$is'

/**
 * The deepest nesting that is written and read.
 *
 * The same both ways: what was written can be read, whatever is left of the stack.
 */
export const maxDepth = 500

/** The numbers that JSON has no word for, by their names. */
export const numbers: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

/**
 * The classes of bytes that are written and read. Others are refused: in some runtime they could not be read
 * back.
 */
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
