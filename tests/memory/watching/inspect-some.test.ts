import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { inspectSomeOf } from '../../../src/core/watching/bounded-inspection.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'

function someOf(registry: object, max: number) {
  return inspectSomeOf(registry)?.(max).map(({ id, state }) => `${id} ${state}`)
}

describe('inspectSome()', () => {
  it('is all of inspect() up to its limit, and the idle longest and held longest beyond it', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 60_000, maxSessions: 100 })
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) {
      registry.set(id, [])
      clock.advance(1_000)
    }
    for (const id of ['a', 'e', 'c']) {
      registry.hold(id)
      clock.advance(1_000)
    }

    expect(inspectSomeOf(registry)?.(10)).toEqual(registry.inspect())
    expect(someOf(registry, 3)).toEqual(['b active', 'd active', 'f active', 'a held', 'e held', 'c held'])
    expect(someOf(registry, 2)).toEqual(['b active', 'd active', 'a held', 'e held'])
  })

  it('takes the idle longest of several timeouts', () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 60_000, maxSessions: 100 })
    for (const [at, id] of ['a', 'b', 'c', 'd'].entries()) {
      registry.set(id, [], { timeoutMs: 60_000 + (at % 2) * 1_000 })
      clock.advance(1_000)
    }

    expect(someOf(registry, 2)).toEqual(['a active', 'b active'])
    expect(someOf(registry, 3)).toEqual(['a active', 'b active', 'c active'])
  })

  it('limits what is archived, disposed of and created too', async () => {
    const archived = deferred<void>()
    const { registry } = clockedRegistry({ archive: () => archived.promise, maxSessions: 3 })
    for (const id of ['a', 'b', 'c']) registry.set(id, [])
    const closing = registry.close()

    expect(registry.inspect().map(({ state }) => state)).toEqual(['archiving', 'archiving', 'archiving'])
    expect(someOf(registry, 2)).toEqual(['a archiving', 'b archiving'])
    archived.resolve()
    await closing
  })

  it('is no public member, and no other object has it', () => {
    expect(Object.keys(new SessionRegistry())).not.toContain('inspectSome')
    expect(inspectSomeOf({})).toBeUndefined()
  })
})
