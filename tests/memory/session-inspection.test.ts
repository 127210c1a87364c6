import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'

interface Value {
  readonly name: string
  readonly inner: { readonly deep: { readonly deepest: string } }
}

function shown() {
  const made = clockedRegistry({ timeoutMs: 10_000 })
  made.registry.set('ada', ['hello'])
  made.clock.advance(300)
  made.registry.touch('ada')
  made.clock.advance(200)
  const session = made.registry.peek('ada')
  if (session === undefined) throw new Error('the session is not there')
  return { ...made, session }
}

describe('a printed session', () => {
  it('JSON.stringify: has the fields of a session and its value, and no others', () => {
    const { session, clock } = shown()

    expect(JSON.parse(JSON.stringify({ session }))).toEqual({
      session: {
        id: 'ada',
        incarnation: session.incarnation,
        value: ['hello'],
        createdAt: clock.date() - 500,
        lastActiveAt: clock.date() - 200,
        idleMs: 200,
        ageMs: 500,
        timeoutMs: 10_000,
        held: false,
      },
    })
  })

  it('JSON.stringify: is not activity', () => {
    const { session, clock, registry } = shown()
    JSON.stringify(session)
    inspect(session)
    clock.advance(9_800)

    expect(registry.has('ada')).toBe(false)
  })

  it('util.inspect: shows the fields', () => {
    const { session } = shown()
    const text = inspect(session)

    expect(text).toMatch(/^Session \{/)
    expect(text).toContain("id: 'ada'")
    expect(text).toContain("value: [ 'hello' ]")
    for (const field of ['incarnation', 'createdAt', 'lastActiveAt', 'held: false'])
      expect(text).toContain(field)
    expect(text).toMatch(/idleMs: 200,\s+ageMs: 500,\s+timeoutMs: 10000/)
  })

  it('util.inspect: shows only the outermost level of the value, at any depth', () => {
    const { registry } = clockedRegistry()
    const value: Value = { name: 'Ada', inner: { deep: { deepest: 'in confidence' } } }
    registry.set('ada', value as never)
    const session = registry.peek('ada')

    expect(inspect(session, { depth: 10 })).toContain("{ name: 'Ada', inner: [Object] }")
    expect(inspect({ session }, { depth: null })).not.toContain('confidence')
    expect(inspect([[[session]]])).toContain('[Session]')
  })

  it('util.inspect: does not throw if the value cannot be shown', () => {
    const { registry } = clockedRegistry()
    const value = {
      [inspect.custom]() {
        throw new Error('I will not be shown')
      },
    }
    registry.set('ada', value as never)

    expect(inspect(registry.peek('ada'))).toContain('value: [unreadable]')
  })

  it('after the end: shows the session as it was then', () => {
    const { session, registry, clock } = shown()
    registry.delete('ada')
    clock.advance(60_000)

    expect(JSON.parse(JSON.stringify(session))).toMatchObject({ idleMs: 200, ageMs: 500, value: ['hello'] })
  })
})
