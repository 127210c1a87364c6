import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { MemorySaver } from '@langchain/langgraph'
import { describe, expect, it } from 'vitest'
import { packedFrom } from '../../src/adapters/langgraph/packed.ts'
import { isAsIn, takeSnapshot } from '../../src/adapters/langgraph/snapshot.ts'
import fc from '../support/fast-check.ts'

const { serde } = new MemorySaver()

async function textOf(value: unknown): Promise<string> {
  const [type, bytes] = await serde.dumpsTyped(value)
  return packedFrom(type, bytes).text
}

const list: unknown[] = []

/** A class whose form depends on more than its own enumerable properties. */
class Secretive extends HumanMessage {
  #count = 7
  override get lc_attributes() {
    return { count: this.#count }
  }
}

class Answer {
  content = 'a'
}

const circular: { self?: unknown } = {}
circular.self = [circular]

function nested(levels: number): unknown {
  let value: unknown = 'end'
  for (let level = 0; level < levels; level += 1) value = { value }
  return value
}

describe('the snapshot of a live element', () => {
  it('property: equals that of a value only if both have the same serialised form', async () => {
    const key = fc.constantFrom('a', 'b', '0', 'lc', 'toString')
    const leaf = fc.constantFrom(null, undefined, true, 0, 1, '', 'a', '0')
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
        fc
          .record({ content: fc.constantFrom('a', 'b'), additional_kwargs: fc.dictionary(key, leaf) })
          .map((fields) => new AIMessage(fields)),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(fc.clone(value, 2), value, async ([one, copy], other) => {
        const snapshot = takeSnapshot(one, list)
        expect(snapshot).toBeDefined()
        const isEqual = isAsIn(snapshot ?? [], other)
        // An object without a prototype has the form of one with it, and is merely serialised again.
        if (isEqual) expect(await textOf(other)).toBe(await textOf(one))
        expect(isAsIn(snapshot ?? [], copy)).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['the order of keys', { a: 1, b: 1 }, { b: 1, a: 1 }],
    ['a key more', { a: 1 }, { a: 1, b: undefined }],
    ['an element more', [1], [1, undefined]],
    ['an object without a prototype and null', [null, 0], [Object.create(null)]],
    ['a list and an object', [1], { 0: 1 }],
    ['a message and its fields', new HumanMessage('a'), { ...new HumanMessage('a') }],
  ])('differs in %s', (_what, one, other) => {
    expect(isAsIn(takeSnapshot(one, list) ?? [], other)).toBe(false)
    expect(isAsIn(takeSnapshot(other, list) ?? [], one)).toBe(false)
  })

  it.each([
    ['a class of the application', new Answer()],
    ['a class that extends a message', new Secretive('a')],
    ['a message with a method of its own', Object.assign(new HumanMessage('a'), { toJSON: () => 'b' })],
    ['an object that hides its method', Object.defineProperty({}, 'toJSON', { value: () => 'b' })],
    ['a date', { when: new Date(0) }],
    ['a map', new Map()],
    ['bytes', { bytes: new Uint8Array(1) }],
    ['a bigint', { count: 1n }],
    ['a function', { run: () => {} }],
    ['a symbol', [Symbol('a')]],
    ['a cycle', circular],
    ['the list that contains it', { list }],
    ['a hundred and one levels', nested(101)],
  ])('does not exist of what a walk cannot see, or see the end of: %s', (_what, value) => {
    expect(takeSnapshot(value, list)).toBeUndefined()
  })

  it('exists of a hundred levels, and of an object that is there twice', () => {
    const shared = { a: 1 }
    expect(takeSnapshot(nested(100), list)).toBeDefined()
    expect(takeSnapshot([shared, shared], list)).toBeDefined()
  })
})
