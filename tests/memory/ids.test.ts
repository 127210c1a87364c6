import type { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { failureOf, sessionError } from '../support/session-error.ts'

const members = {
  getOrCreate: (registry, id) => registry.getOrCreate(id, () => []),
  get: (registry, id) => registry.get(id),
  set: (registry, id) => registry.set(id, []),
  touch: (registry, id) => registry.touch(id),
  peek: (registry, id) => registry.peek(id),
  has: (registry, id) => registry.has(id),
  delete: (registry, id) => registry.delete(id),
  open: (registry, id) => registry.open(id),
  run: (registry, id) => registry.run(id, () => {}),
  hold: (registry, id) => registry.hold(id),
} satisfies Record<string, (registry: SessionRegistry<string[]>, id: string) => unknown>

const wrong = [
  { what: 'an empty string', id: '' },
  { what: 'a string of 1025 units', id: `secret${'x'.repeat(1019)}` },
  { what: '513 emoji, which are 1026 units', id: '😀'.repeat(513) },
  { what: 'a number', id: 4_711 },
  { what: 'a boxed string', id: Object('secret') },
  { what: 'undefined', id: undefined },
  { what: 'null', id: null },
  { what: 'an object', id: { toString: () => 'secret' } },
  { what: 'an array', id: ['secret'] },
  { what: 'a symbol', id: Symbol('secret') },
  { what: 'a function', id: () => 'secret' },
]

const cases = Object.entries(members).flatMap(([name, call]) => wrong.map((one) => ({ name, call, ...one })))

describe('an id', () => {
  it.each(cases)('of $name that is $what is refused without being echoed', async ({ call, id }) => {
    const { registry, clock, events } = clockedRegistry()
    const error = await failureOf(() => call(registry, id as string))

    expect(error).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    expect((error as Error).message).toMatch(/^Expected .+, got .+$/)
    expect((error as Error).message).not.toMatch(/secret|4711|😀/)
    expect(registry.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(events.lines).toEqual([])
  })

  it.each([
    ['of one unit', 'a'],
    ['of 1024 units', 'x'.repeat(1024)],
    ['of 512 emoji, which are 1024 units', '😀'.repeat(512)],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['hasOwnProperty', 'hasOwnProperty'],
    ['toString', 'toString'],
    ['of spaces', '   '],
    ['of a NUL', '\0'],
    ['of a lone surrogate', '\ud800'],
    ['that looks like a number', '0'],
  ])('%s is an ordinary id', (_name, id) => {
    const { registry, events } = clockedRegistry()
    expect(registry.has(id)).toBe(false)
    expect(registry.get(id)).toBeUndefined()
    registry.getOrCreate(id).push('mine')
    registry.getOrCreate('other').push('other')

    expect(registry.get(id)).toEqual(['mine'])
    expect(registry.peek(id)?.id).toBe(id)
    expect([...registry.keys()]).toEqual([id, 'other'])
    expect(registry.delete(id)).toBe(true)
    expect(registry.has(id)).toBe(false)
    expect(registry.get('other')).toEqual(['other'])
    expect(events.lines).toEqual([`created ${id}`, 'created other', `ended ${id} deleted`])
  })

  it('is not normalised: two encodings of one text are two sessions', () => {
    const { registry } = clockedRegistry()
    registry.set('\u00e9', ['composed'])
    registry.set('e\u0301', ['decomposed'])

    expect(registry.size).toBe(2)
    expect(registry.get('\u00e9')).toEqual(['composed'])
  })
})
