import { randomBytes } from 'node:crypto'

/** Returns ids as servers make them: 32 random hex digits, each a flat string. */
export function makeIds(count: number): string[] {
  return Array.from({ length: count }, () => randomBytes(16).toString('hex'))
}

/** Returns `count` random indices of an array of `size`. */
export function makeOrder(count: number, size: number): Uint32Array {
  return Uint32Array.from({ length: count }, () => Math.random() * size)
}
