import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const needsOpen = sessionError('ERR_SESSION_NEEDS_OPEN')

// Without a listener of `created`, a logger, a hook or a capacity a creation is fast.
describe('a `create` that returns a promise on the fast path', () => {
  it('throws, and what was begun goes on', async () => {
    const making = new ManualCreate()
    const registry = new SessionRegistry<string[]>({ create: making.create })
    registry.set('live', [])
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    const opened = observe(registry.open('a'))
    making.at(0).resolve(['made'])
    await settle()

    expect(opened.value).toEqual(['made'])
    expect(registry.getOrCreate('a')).toBe(opened.value)
    expect(making.calls).toHaveLength(1)
    expect([...registry.keys()]).toEqual(['live', 'a'])
  })

  it('is fast again for synchronous ones afterwards', async () => {
    const making = new ManualCreate()
    const registry = new SessionRegistry<string[]>({ create: making.create })
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    expect(registry.getOrCreate('b', () => ['b'])).toEqual(['b'])
    making.at(0).resolve(['a'])
    await settle()

    expect(registry.getOrCreate('c', () => ['c'])).toEqual(['c'])
    expect([...registry]).toEqual([
      ['b', ['b']],
      ['a', ['a']],
      ['c', ['c']],
    ])
    expect(registry.stats()).toMatchObject({ size: 3, created: 3 })
  })

  it('has created the session itself: the first one wins', async () => {
    const registry: SessionRegistry<string[]> = new SessionRegistry<string[]>({
      create: (id) => {
        registry.getOrCreate(id, () => ['first'])
        return Promise.resolve(['late'])
      },
    })
    expect(registry.getOrCreate('a')).toEqual(['first'])
    await settle()

    expect([...registry]).toEqual([['a', ['first']]])
    expect(registry.stats()).toMatchObject({ size: 1, created: 1 })
  })

  it('passes the factory a signal, which aborts when the id is set', () => {
    const making = new ManualCreate()
    const registry = new SessionRegistry<string[]>({ create: making.create })
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    expect(making.at(0).signal.aborted).toBe(false)
    registry.set('a', [])

    expect(making.at(0).signal.aborted).toBe(true)
  })
})
