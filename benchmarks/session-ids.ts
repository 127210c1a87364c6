import { randomBytes } from 'node:crypto'

/** Ids as servers make them: 32 random hex digits, each a flat string of its own. */
export function makeIds(count: number): string[] {
  return Array.from({ length: count }, () => randomBytes(16).toString('hex'))
}

/** `count` places in an array of `size`, at random. */
export function makeOrder(count: number, size: number): Uint32Array {
  return Uint32Array.from({ length: count }, () => Math.random() * size)
}
