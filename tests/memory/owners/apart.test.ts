import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

describe('owners whose calls wait for one session', () => {
  it.each(['load', 'store'] as const)(
    'may be thousands, each with a factory that throws: %s',
    async (source) => {
      const found = deferred<string[] | undefined>()
      const { registry } = clockedRegistry(
        source === 'load' ? { load: () => found.promise } : { store: new MemoryStore() },
      )
      const opened = Array.from({ length: 3_000 }, (_, index) => {
        const create = () => {
          throw new Error(`no value ${index}`)
        }
        return failureOf(() => registry.open('a', { owner: `owner ${index}`, create }))
      })
      await settle()
      found.resolve(undefined)

      expect(await Promise.all(opened)).toEqual(opened.map((_, index) => new Error(`no value ${index}`)))
      expect([registry.size, registry.stats().waiting]).toEqual([0, 0])
    },
  )

  it('are refused at their own limit, and others go on', async () => {
    const { registry } = clockedRegistry({
      maxPerOwner: 1,
      whenOwnerFull: 'reject',
      load: async () => undefined,
    })
    await registry.open('other', { owner: 'ada' })
    const full = failureOf(() => registry.open('a', { owner: 'ada' }))
    const opened = registry.open('a', { owner: 'bob' })

    expect(await full).toEqual(sessionError('ERR_SESSION_OWNER_FULL'))
    expect(await opened).toEqual([])
    expect(registry.peek('a')?.owner).toBe('bob')
  })

  it('have a `load` of their own that is called outside of a step: events come as usual', async () => {
    const { registry, clock } = clockedRegistry({
      loadTimeoutMs: 1_000,
      load: (_id, { owner }) => {
        if (owner === 'ada') return new Promise<never>(() => {})
        registry.set('other', [])
        seen.push(created.length)
        return undefined
      },
    })
    const created: string[] = []
    const seen: number[] = []
    registry.on('created', ({ id }) => created.push(id))
    const late = failureOf(() => registry.open('a', { owner: 'ada' }))
    const opened = registry.open('a', { owner: 'bob' })
    await settle()
    await clock.advanceAsync(1_000)

    expect(await late).toEqual(sessionError('ERR_SESSION_LOAD_TIMEOUT'))
    expect(await opened).toEqual([])
    expect(seen).toEqual([1])
  })
})
