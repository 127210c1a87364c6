import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../support/memory-store.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'
import { storedRegistry } from '../../support/stored-registry.ts'

const invalid = sessionError('ERR_SESSION_OPTION_INVALID')

function refused(options: Record<string, unknown>): Error {
  const error = thrownBy(() => new SessionRegistry(options as SessionRegistryOptions<unknown>))
  expect(error).toEqual(invalid)
  return error as Error
}

describe('the option `store`', () => {
  it.each([null, 7, 'redis://', true, () => {}])('%j is no store', (store) => {
    expect(refused({ store }).message).toMatch(/^Expected `store` to be an object with get, put and delete/)
  })

  it.each(['get', 'put', 'delete'])('without %s: is refused by name', (method) => {
    const store = Object.assign(new MemoryStore(), { [method]: undefined })

    expect(refused({ store }).message).toMatch(new RegExp(`^Expected \`store.${method}\` to be a function`))
  })

  it.each(['prune', 'owned', 'close'])('%s that is no function: is refused; absent it is not', (method) => {
    const wrong = Object.assign(new MemoryStore(), { [method]: 7 })
    const absent = Object.assign(new MemoryStore(), { [method]: undefined })

    expect(refused({ store: wrong }).message).toContain(`store.${method}`)
    expect(() => new SessionRegistry({ store: absent })).not.toThrow()
  })

  it.each(['load', 'archive'])('beside `%s`: is refused, since it takes its place', (hook) => {
    expect(refused({ store: new MemoryStore(), [hook]: () => {} }).message).toContain(hook)
  })
})

describe('the option `save`', () => {
  it.each(['sometimes', '', null, true, 0])('%j is refused', (save) => {
    expect(refused({ store: new MemoryStore(), save }).message).toContain('`save`')
    expect(refused({ save }).message).toContain('`save`')
  })
})

describe('the option `keepMs`', () => {
  it.each([0, -1, Number.NaN, '1 day', null])('%j is refused', (keepMs) => {
    expect(refused({ store: new MemoryStore(), keepMs }).message).toContain('`keepMs`')
  })

  it('is at least twice `timeoutMs`', () => {
    const store = new MemoryStore()

    expect(refused({ store, timeoutMs: 1_000, keepMs: 1_999 }).message).toMatch(
      /twice `timeoutMs` \(1000\), got 1999/,
    )
    expect(() => new SessionRegistry({ store, timeoutMs: 1_000, keepMs: 2_000 })).not.toThrow()
    refused({ store, timeoutMs: Number.POSITIVE_INFINITY, keepMs: 1e12 })
    expect(() => new SessionRegistry({ store, timeoutMs: Number.POSITIVE_INFINITY })).not.toThrow()
  })
})

describe('an own `timeoutMs` with `keepMs`', () => {
  const options = { timeoutMs: 1_000, keepMs: 10_000 }
  const tooLong = [5_001, Number.POSITIVE_INFINITY]

  it.each(tooLong)('over half of it: %d is refused, and nothing is created', (timeoutMs) => {
    const { registry, events } = storedRegistry(options)

    expect(thrownBy(() => registry.set('ada', [], { timeoutMs }))).toEqual(invalid)
    expect(thrownBy(() => registry.replace('ada', [], { timeoutMs }))).toEqual(invalid)
    expect(events.lines).toEqual([])
  })

  it.each(tooLong)('%d cannot be assigned', (timeoutMs) => {
    const { registry } = storedRegistry(options)
    registry.set('ada', [], { timeoutMs: 5_000 })
    const session = registry.peek('ada')

    expect(
      thrownBy(() => {
        if (session !== undefined) session.timeoutMs = timeoutMs
      }),
    ).toEqual(invalid)
    expect(session?.timeoutMs).toBe(5_000)
  })
})

describe('the option `codec`', () => {
  it.each([null, 7, {}, { encode: () => '' }, { decode: () => 1 }])('%j is refused', (codec) => {
    expect(refused({ store: new MemoryStore(), codec }).message).toContain('codec')
  })
})
