import { expect, it } from 'vitest'
import { hashOf } from '../../../src/memory/table/id-hash.ts'
import { Random } from '../../support/random.ts'

const characters = Array.from('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_:.é😀')
const seeds = [0, 1, 0x0f0f0f0f, 0xffffffff, 0x12345678]

function idOf(length: number, random: Random): string {
  let id = ''
  while (id.length < length) id += random.pick(characters)
  return id.slice(0, length)
}

/** How far counts are from being even: about as much as there are counts where they are by chance. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

it('is the same for the same id and seed, and a whole number of 32 bits', () => {
  const id = ['user', '42'].join('-')
  for (const seed of seeds) {
    const hash = hashOf(id, seed)
    expect(hash).toBe(hashOf('user-42', seed))
    expect(hash).toBe(hash | 0)
  }
  expect(new Set(seeds.map((seed) => hashOf(id, seed))).size).toBe(seeds.length)
})

it.each([1, 2, 16, 32, 127, 128])('differs where one character of %i does', (length) => {
  const random = new Random(length)
  for (const seed of seeds) {
    const id = idOf(length, random)
    const hash = hashOf(id, seed)
    const hashes = new Set([hash])
    let variants = 1
    for (let at = 0; at < length; at += 1) {
      for (let code = 32; code < 127; code += 1) {
        if (id.charCodeAt(at) === code) continue
        variants += 1
        hashes.add(hashOf(id.slice(0, at) + String.fromCharCode(code) + id.slice(at + 1), seed))
      }
    }
    // By chance two of 12 000 have the same in one of 60 tries.
    expect(variants - hashes.size).toBeLessThanOrEqual(2)
  }
})

it('differs where only the length does', () => {
  for (const seed of seeds) {
    const hashes = Array.from({ length: 1_000 }, (_, length) => hashOf('a'.repeat(length), seed))
    expect(new Set(hashes).size).toBeGreaterThan(998)
  }
})

it('differs in each half of its bits, whichever character changes', () => {
  const random = new Random(1)
  for (let at = 0; at < 32; at += 1) {
    const counts = Array.from({ length: 32 }, () => 0)
    for (let round = 0; round < 200; round += 1) {
      const id = idOf(32, random)
      const code = id.charCodeAt(at) ^ (1 << random.below(6))
      const changed =
        hashOf(id, 7) ^ hashOf(id.slice(0, at) + String.fromCharCode(code) + id.slice(at + 1), 7)
      for (let bit = 0; bit < 32; bit += 1) counts[bit] = (counts[bit] ?? 0) + ((changed >>> bit) & 1)
    }
    // Half of 200, and six standard deviations to either side.
    expect(Math.min(...counts)).toBeGreaterThan(57)
    expect(Math.max(...counts)).toBeLessThan(143)
  }
})

it.each([
  ['user-000000001', (at: number) => `user-${String(at).padStart(9, '0')}`],
  ['1', (at: number) => String(at)],
  ['1-user', (at: number) => `${at}-user`],
  ['with 120 characters', (at: number) => 'x'.repeat(60) + String(at).padStart(60, '-')],
  ['6b2f-…', (at: number) => Math.imul(at, 0x9e3779b1).toString(16).padStart(32, '0')],
])('spreads ids such as %s evenly over its lowest and its highest bits', (_name, idAt) => {
  for (const seed of seeds) {
    const [lowest, highest, both] = [256, 256, 256].map((length) => Array.from({ length }, () => 0))
    for (let at = 1; at <= 10_000; at += 1) {
      const hash = hashOf(idAt(at), seed)
      for (const [counts, byte] of [
        [lowest, hash & 255],
        [highest, hash >>> 24],
        [both, ((hash & 15) << 4) | (hash >>> 28)],
      ] as const)
        if (counts !== undefined) counts[byte] = (counts[byte] ?? 0) + 1
    }
    // 255 in the mean, with a standard deviation of 23.
    for (const counts of [lowest, highest, both]) expect(chiSquare(counts ?? [])).toBeLessThan(400)
  }
})

it('looks at the whole of a longer id, though not at each character', () => {
  for (const length of [128, 200, 1_000, 100_000]) {
    const id = idOf(length, new Random(length))
    const step = Math.floor(length / 64)
    const variants = Array.from({ length: 20 }, (_, part) => {
      const at = Math.floor((length * part) / 20)
      return id.slice(0, at) + '#'.repeat(step) + id.slice(at + step)
    })
    expect(new Set([id, ...variants].map((variant) => hashOf(variant, 3))).size).toBe(21)
  }
})

it.each([128, 150, 200, 1_024])('differs where a counter at the end of %i does', (length) => {
  const hashes = Array.from({ length: 100_000 }, (_, at) => hashOf(String(at).padStart(length, 'x'), 1))

  // By chance about one pair of so many has the same.
  expect(new Set(hashes).size).toBeGreaterThan(99_990)
})
