import { expect, it } from 'vitest'
import { newHashKeys } from '../../../src/memory/table/index/hash-keys.ts'
import { hashOf } from '../../../src/memory/table/index/id-hash.ts'
import { Random } from '../../support/random.ts'

const characters = Array.from('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_:.é😀')

/** Keys that are the same in each run, so that what is expected of chance does not fail by chance. */
function keysOf(seed: number) {
  const random = new Random(seed)
  return newHashKeys().map(() => random.below(2 ** 32))
}

const allKeys = [1, 2, 3, 4, 5].map(keysOf)
const [someKeys = keysOf(0)] = allKeys

function idOf(length: number, random: Random): string {
  let id = ''
  while (id.length < length) id += random.pick(characters)
  return id.slice(0, length)
}

const withUnit = (id: string, at: number, unit: number) =>
  id.slice(0, at) + String.fromCharCode(unit) + id.slice(at + 1)

/** How far counts are from being even: about as much as there are counts where they are by chance. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

it('is the same for the same id and keys, and a whole number of 32 bits', () => {
  const id = ['user', '42'].join('-')
  for (const keys of allKeys) {
    const hash = hashOf(id, keys)
    expect(hash).toBe(hashOf('user-42', keys))
    expect(hash).toBe(hash | 0)
  }
  expect(new Set(allKeys.map((keys) => hashOf(id, keys))).size).toBe(allKeys.length)
})

it('has keys of its own in each index, from the source of secrets', () => {
  const [one, other] = [newHashKeys(), newHashKeys()]

  expect(one).not.toEqual(other)
  expect(new Set(one).size).toBeGreaterThan(1_000)
})

it.each([1, 2, 16, 32, 127, 128])('differs where one character of %i does', (length) => {
  const random = new Random(length)
  for (const keys of allKeys) {
    const id = idOf(length, random)
    const hashes = new Set([hashOf(id, keys)])
    let variants = 1
    for (let at = 0; at < length; at += 1) {
      for (let code = 32; code < 127; code += 1) {
        if (id.charCodeAt(at) === code) continue
        variants += 1
        hashes.add(hashOf(withUnit(id, at, code), keys))
      }
    }
    // By chance two of 12 000 have the same in one of 60 tries.
    expect(variants - hashes.size).toBeLessThanOrEqual(2)
  }
})

it.each([129, 200, 1_023, 1_024])('looks at every unit of an id of %i', (length) => {
  const id = idOf(length, new Random(length))
  const hashes = Array.from({ length }, (_, at) => hashOf(withUnit(id, at, 0x10ff), someKeys))

  expect(new Set([...hashes, hashOf(id, someKeys)]).size).toBe(length + 1)
})

it('differs where only the length does, with units of zero too', () => {
  for (const keys of allKeys) {
    for (const unit of ['a', '\0']) {
      const hashes = Array.from({ length: 1_024 }, (_, at) => hashOf(unit.repeat(at + 1), keys))
      expect(new Set(hashes).size).toBe(1_024)
    }
  }
})

it('differs in each half of its bits, whichever character changes', () => {
  const random = new Random(1)
  for (let at = 0; at < 32; at += 1) {
    const counts = Array.from({ length: 32 }, () => 0)
    for (let round = 0; round < 200; round += 1) {
      const id = idOf(32, random)
      const other = withUnit(id, at, id.charCodeAt(at) ^ (1 << random.below(6)))
      const changed = hashOf(id, someKeys) ^ hashOf(other, someKeys)
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
  ['with 1 024 characters', (at: number) => String(at).padStart(512, '-').padEnd(1_024, 'x')],
  ['6b2f-…', (at: number) => Math.imul(at, 0x9e3779b1).toString(16).padStart(32, '0')],
])('spreads ids such as %s evenly over its lowest and its highest bits', (_name, idAt) => {
  for (const keys of allKeys) {
    const [lowest, highest, both] = [256, 256, 256].map((length) => Array.from({ length }, () => 0))
    for (let at = 1; at <= 10_000; at += 1) {
      const hash = hashOf(idAt(at), keys)
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

// What a visitor would choose who knows the code and not the keys: ids that all differ in the same few
// places.
it.each<[what: string, length: number, places: (bit: number) => number, units: readonly [number, number]]>([
  ['in places that a hash of samples passes over', 1_024, (bit) => 1 + bit * 3, [0x78, 0x79]],
  ['in the highest bit of their units', 34, (bit) => bit * 2, [0x20, 0x8020]],
  ['in neighbours', 40, (bit) => 10 + bit, [0, 1]],
  ['in places that are powers of two apart', 1_024, (bit) => bit * 64 + (bit & 1), [0x41, 0x8041]],
])('spreads a crowd of ids that differ %s', (_what, length, placeOf, units) => {
  const bits = 13
  for (const keys of allKeys) {
    const hashes = new Set<number>()
    const id = Array.from('a'.repeat(length))
    for (let number = 0; number < 2 ** bits; number += 1) {
      for (let bit = 0; bit < bits; bit += 1) {
        id[placeOf(bit)] = String.fromCharCode(units[(number >> bit) & 1] as number)
      }
      hashes.add(hashOf(id.join(''), keys))
    }
    // By chance two of 8 192 have the same in one of 128 tries.
    expect(2 ** bits - hashes.size).toBeLessThanOrEqual(1)
  }
})
