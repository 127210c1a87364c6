import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

describe('forgetOwner', () => {
  it('deletes what is in memory and in the store, and returns how many there were', async () => {
    const store = new MemoryStore()
    const { registry } = clockedRegistry({ store })
    for (const id of ['a', 'b']) await registry.run(id, () => {}, { owner: 'ada' })
    await registry.run('c', () => {}, { owner: 'bob' })
    const other = clockedRegistry({ store }).registry
    await other.open('a')

    expect(await other.forgetOwner('ada')).toBe(2)
    expect(await store.owned('ada')).toEqual([])
    expect(await store.owned('bob')).toEqual(['c'])
    expect(await other.open('a', { create: false })).toBe(undefined)
  })

  it('waits until what it ends is disposed of', async () => {
    const disposed: (() => void)[] = []
    const { registry } = clockedRegistry({ dispose: () => new Promise<void>((done) => disposed.push(done)) })
    registry.set('a', [], { owner: 'ada' })
    let count = 0
    const forgotten = registry.forgetOwner('ada').then((result) => {
      count = result
    })
    await Promise.resolve()
    expect(count).toBe(0)
    disposed[0]?.()
    await forgotten

    expect(count).toBe(1)
  })

  it('waits for every value of an id that was replaced', async () => {
    const disposed: (() => void)[] = []
    const { registry } = clockedRegistry({ dispose: () => new Promise<void>((done) => disposed.push(done)) })
    registry.set('a', [], { owner: 'ada' })
    registry.replace('a', [], { owner: 'ada' })
    let isForgotten = false
    const forgotten = registry.forgetOwner('ada').then(() => {
      isForgotten = true
    })
    disposed[0]?.()
    await settle()
    expect(isForgotten).toBe(false)
    disposed[1]?.()
    await forgotten

    expect(registry.stats().disposing).toBe(0)
  })

  it('rejects once the registry is closed', async () => {
    const { registry } = clockedRegistry()
    await registry.close()

    expect(await failureOf(() => registry.forgetOwner('ada'))).toEqual(
      sessionError('ERR_SESSION_REGISTRY_CLOSED'),
    )
  })

  it('refuses a store that cannot find them', async () => {
    const { get, put, delete: remove } = new MemoryStore()
    const { registry } = clockedRegistry({ store: { get, put, delete: remove } })

    expect(await failureOf(() => registry.forgetOwner('ada'))).toEqual(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
    expect(await failureOf(() => registry.forgetOwner(''))).toEqual(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
  })
})
