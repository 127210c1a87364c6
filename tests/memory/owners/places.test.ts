import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

describe('the places of an owner', () => {
  it('are made by a synchronous call that is refused: the next one succeeds', async () => {
    const { registry } = clockedRegistry({ maxPerOwner: 1, archive: async () => {} })
    registry.getOrCreate('a', undefined, { owner: 'ada' })
    const create = () => registry.getOrCreate('b', undefined, { owner: 'ada' })
    expect(thrownBy(create)).toEqual(sessionError('ERR_SESSION_OWNER_FULL'))
    await settle()
    create()

    expect([...registry.keys()]).toEqual(['b'])
  })

  it('go to a call that waits when a creation fails', async () => {
    const { registry } = clockedRegistry({ maxPerOwner: 1 })
    const making = deferred<string[]>()
    const failed = failureOf(() => registry.open('a', { owner: 'ada', create: () => making.promise }))
    const opened = registry.open('b', { owner: 'ada' })
    await settle()
    making.reject(new Error('it cannot be made'))

    expect(await failed).toEqual(new Error('it cannot be made'))
    expect(await opened).toEqual([])
  })

  it('of a stored session: an owner that was assigned is written', async () => {
    const store = new MemoryStore()
    const { registry } = clockedRegistry({ store })
    await registry.run('a', () => {})
    await registry.run('a', (session) => {
      session.owner = 'ada'
    })

    expect(store.session('a')?.owner).toBe('ada')
  })
})
