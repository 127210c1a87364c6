import { deserialize, serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { baseOf, linksOf, placeAfter } from '../../src/adapters/langgraph/delta-chain.ts'
import { cutJson, nestingOf } from '../../src/adapters/langgraph/json-text.ts'
import { packedFrom } from '../../src/adapters/langgraph/packed.ts'
import { store } from '../../src/adapters/langgraph/store-text.ts'
import { readStored, type StoredText } from '../../src/adapters/langgraph/stored-text.ts'
import { readTemplated, toTemplated } from '../../src/adapters/langgraph/templated-text.ts'
import fc from '../support/fast-check.ts'

const none = () => new Map<string, string>()
const packed = (text: string) => ({ type: 'json', isBinary: false, text })
const textIn = (stored: StoredText) => readStored(stored).text

const message = (text: string) => ({ role: 'user', content: text, extra: {}, id: `id of ${text}` })
const said = (n: number) => `${n}: ${'so it was said '.repeat(20)}`
const listOf = (...numbers: number[]) => JSON.stringify(numbers.map((n) => message(said(n))))

/** Every string that a chain of stored values holds. */
function heldBy(stored: StoredText): number {
  let held = 0
  for (const { pieces } of linksOf(stored)) {
    for (const piece of pieces) held += piece.length
  }
  return held
}

describe('a stored text', () => {
  it('property: reads equal what was stored, for any text and any beginning', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.stringMatching(/^(\[|\{|"|\\|,|[\]}]|x{40}|\ud83d\ude00){0,12}$/),
    )
    const texts = fc.array(fc.record({ text: anyText, keep: fc.nat(), on: fc.nat() }), { maxLength: 12 })
    fc.assert(
      fc.property(texts, (steps) => {
        const all: { stored: StoredText; text: string }[] = []
        for (const { text, keep, on } of steps) {
          const base = all[on % (all.length + 1)]
          // A text that begins like its base up to anywhere, in the middle of a pair too.
          const whole = `${base?.text.slice(0, keep % (base.text.length + 1)) ?? ''}${text.repeat(1 + (keep % 9))}`
          const known = new Map(
            all.flatMap(({ stored }) => stored.pieces.map((piece) => [piece, piece] as const)),
          )
          all.push({ text: whole, stored: store(packed(whole), base?.stored, () => known) })
        }
        for (const { stored, text } of all) expect(textIn(stored)).toBe(text)
      }),
      { numRuns: 1_000 },
    )
  })

  it('contains only the additions of a list that has grown', () => {
    let stored = store(packed(listOf(0)), undefined, none)
    for (let n = 1; n <= 100; n += 1) {
      const text = listOf(...Array.from({ length: n + 1 }, (_, index) => index))
      const next = store(packed(text), stored, none)
      expect(baseOf(next)).toBe(stored)
      expect(heldBy(next) - heldBy(stored)).toBeLessThan(1.1 * JSON.stringify(message(said(n))).length)
      stored = next
    }
    expect(textIn(stored)).toBe(listOf(...Array.from({ length: 101 }, (_, index) => index)))
  })

  it('shares with forks their common part, and nothing else', () => {
    const trunk = store(packed(listOf(1, 2, 3)), undefined, none)
    const left = store(packed(listOf(1, 2, 3, 4)), trunk, none)
    const right = store(packed(listOf(1, 2, 3, 5)), trunk, none)

    expect([baseOf(left), baseOf(right)]).toEqual([trunk, trunk])
    expect([textIn(left), textIn(right)]).toEqual([listOf(1, 2, 3, 4), listOf(1, 2, 3, 5)])
  })

  it('shares with forks of forks too, in any order of growth', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (steps) => {
        const all = [{ stored: store(packed(listOf(0)), undefined, none), numbers: [0] }]
        for (const [index, on] of steps.entries()) {
          const { stored, numbers } = all[on % all.length] ?? { stored: undefined, numbers: [] }
          const grown = [...numbers, index + 1]
          const next = store(packed(listOf(...grown)), stored, none)
          expect(baseOf(next)).toBe(stored)
          all.push({ stored: next, numbers: grown })
        }
        for (const { stored, numbers } of all) {
          expect(textIn(stored)).toBe(listOf(...numbers))
          expect([...linksOf(stored)]).toHaveLength(numbers.length)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('can be cloned with a chain of any length', () => {
    let stored = store(packed('"'), undefined, none)
    let text = '"'
    for (let n = 0; n < 20_000; n += 1) {
      text += 'so it goes on and on, '.repeat(4)
      // Without the look at the whole text, which is not what is tried here.
      const { chain, place } = placeAfter(stored)
      const piece = 'so it goes on and on, '.repeat(4)
      stored = { ...stored, chain, place, kept: text.length - piece.length, pieces: [piece] }
    }
    expect(textIn(structuredClone(stored))).toBe(text)
    expect(textIn(deserialize(serialize(stored)))).toBe(text)
  })

  it('holds no more than a few times its length, however many entries are removed and added', () => {
    let stored = store(packed(listOf(0)), undefined, none)
    for (let n = 0; n < 300; n += 1) {
      // The first half stays, the rest is another each time.
      const text = listOf(1, 2, 3, 4, 5, 6, 7, 8, 1000 + n, 2000 + n, 3000 + n)
      stored = store(packed(text), stored, none)
      expect(textIn(stored)).toBe(text)
      expect(heldBy(stored)).toBeLessThan(3 * text.length + 5_000)
    }
  })

  it('does not retain a list that has lost its beginning', () => {
    const before = store(packed(listOf(1, 2, 3, 4)), undefined, none)
    const window = store(packed(listOf(2, 3, 4, 5)), before, none)

    expect(baseOf(window)).toBeUndefined()
    // But the entries that both have are the same pieces.
    const known = new Map(before.pieces.map((piece) => [piece, piece]))
    const shared = store(packed(listOf(2, 3, 4, 5)), before, () => known).pieces.filter((piece) =>
      known.has(piece),
    )
    expect(shared.length).toBeGreaterThan(10)
  })

  it('is split at the messages, whatever surrounds them', () => {
    const text = said(1)
    for (const around of [
      [message(text)],
      { messages: [message(text)] },
      [0, message(text)],
      { kwargs: { content: text } },
    ]) {
      const pieces = cutJson(JSON.stringify(around))
      expect(pieces.join('')).toBe(JSON.stringify(around))
      expect(pieces).toContain(JSON.stringify(text))
    }
    expect(cutJson('["\\"quoted\\" and long enough to be cut \\\\", "short"]')).toEqual([
      '[',
      '"\\"quoted\\" and long enough to be cut \\\\"',
      ', "short"]',
    ])
  })
})

describe('the nesting of a JSON text', () => {
  it.each([
    ['7', 0],
    ['[]', 1],
    ['{"a":[{"b":"[[[["}]}', 3],
    ['["\\"[[[","\\\\",[]]', 2],
  ])('%s has %d levels', (text, depth) => {
    expect(nestingOf(text)).toBe(depth)
  })
})

describe('a templated text', () => {
  it('property: reads equal what it was made of', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.stringMatching(/^[\da-f,:"-]{0,40}$/),
    )
    fc.assert(
      fc.property(anyText, (text) => {
        const texts = [packed(text), packed(`${text} 7`)] as const
        expect(readTemplated(toTemplated(texts, []))).toEqual(texts)
      }),
      { numRuns: 1_000 },
    )
  })

  it('shares its words with texts that differ in numbers, dates and ids', () => {
    const head = (n: number) =>
      JSON.stringify({
        id: `8961fc50-8dd2-4f44-bf4f-7389e7c018f${n}`,
        ts: `2026-11-29T00:04:3${n}Z`,
        step: n - 1,
      })
    const [input, loop] = [packed('{"source":"input","step":1}'), packed('{"source":"loop","step":2}')]
    const first = toTemplated([packed(head(0)), input], [])
    const second = toTemplated([packed(head(7)), input], [first])
    const third = toTemplated([packed(head(9)), loop], [first, second])

    expect(second.templates).toBe(first.templates)
    expect(third.templates[0]).toBe(first.templates[0])
    expect(readTemplated(second)).toEqual([packed(head(7)), input])
    expect(readTemplated(third)).toEqual([packed(head(9)), loop])
  })
})

describe('packed bytes', () => {
  it.each([
    ['text', new TextEncoder().encode('häl\u2028lo 😀')],
    ['a byte order mark', new Uint8Array([0xef, 0xbb, 0xbf, 0x61])],
    ['bytes that are no UTF-8', new Uint8Array([0xff, 0x00, 0x80])],
    ['half a character', new Uint8Array([0xf0, 0x9f])],
    ['nothing', new Uint8Array()],
    ['a window', new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
  ])('preserve every byte: %s', (_what, bytes) => {
    const { isBinary, text } = packedFrom('x', bytes)
    expect(new Uint8Array(Buffer.from(text, isBinary ? 'base64' : 'utf8'))).toEqual(new Uint8Array(bytes))
  })
})
