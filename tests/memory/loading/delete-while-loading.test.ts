import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

function loading(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const store = new ManualLoad()
  return { store, ...clockedRegistry({ load: store.load, ...options }) }
}

describe.each(['delete', 'clear'] as const)('%s of a session that is being loaded', (member) => {
  const yes = member === 'delete' ? true : 1

  it('drops the result of the load, and the waiting calls load anew', async () => {
    const { registry, store, events } = loading()
    const opened = registry.open('a')
    const ran = registry.run('a', (session) => session.value)
    expect(registry[member]('a')).toBe(yes)
    store.at(0).resolve(['from before the deletion'])
    await settle()
    expect(store.calls).toHaveLength(2)
    store.at(1).resolve(['from after it'])

    expect(await opened).toEqual(['from after it'])
    expect(await ran).toEqual(['from after it'])
    expect(events.take()).toEqual(['created a'])
    expect(registry.stats()).toMatchObject({ created: 1, loaded: 1, deleted: 0 })
  })

  it('aborts the load with the reason', () => {
    const { registry, store } = loading()
    observe(registry.open('a'))
    registry[member]('a')

    expect(store.at(0).signal.aborted).toBe(true)
    expect(store.at(0).signal.reason).toEqual(sessionError('ERR_SESSION_ENDED'))
  })

  it('rejects no caller if the aborted load then fails', async () => {
    const { registry, store } = loading()
    const opened = registry.open('a')
    registry[member]('a')
    store.at(0).reject(store.at(0).signal.reason)
    await settle()
    store.at(1).resolve(undefined)

    expect(await opened).toEqual([])
  })

  it('finds nothing more until the new load has begun', async () => {
    const { registry, store } = loading()
    observe(registry.open('a'))
    registry[member]('a')

    expect(registry[member]('a')).toBe(member === 'delete' ? false : 0)
    await settle()
    expect(store.calls).toHaveLength(2)
    expect(registry[member]('a')).toBe(yes)
  })

  it('does not load again for a caller that leaves in the same step', async () => {
    const { registry, store } = loading()
    const controller = new AbortController()
    const opened = observe(registry.open('a', { signal: controller.signal }))
    registry[member]('a')
    controller.abort('gone')
    await settle()

    expect(opened.error).toBe('gone')
    expect(store.calls).toHaveLength(1)
  })

  it('drops a loaded value that waits for capacity', async () => {
    const load = vi.fn((id: string) => [`${id} ${load.mock.calls.length}`])
    const archives: (() => void)[] = []
    const { registry } = clockedRegistry({
      maxSessions: 1,
      load,
      archive: () => new Promise<void>((resolve) => archives.push(resolve)),
    })
    registry.set('first', [])
    const opened = registry.open('a')
    await settle()
    expect(load).toHaveBeenCalledTimes(1)
    expect(registry[member]('a')).toBe(member === 'delete' ? true : 2)
    await settle()
    expect(load).toHaveBeenCalledTimes(2)
    archives[0]?.()

    expect(await opened).toEqual(['a 2'])
  })
})

describe('a deletion during a load', () => {
  it('of many ids: clear counts each of them, and each is loaded again', async () => {
    const { registry, store } = loading()
    const opens = ['a', 'b', 'c'].map((id) => registry.open(id))
    registry.set('live', [])

    expect(registry.clear()).toBe(4)
    await settle()
    expect(store.calls.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
    for (const call of store.calls) call.resolve([call.id])
    expect(await Promise.all(opens)).toEqual([['a'], ['b'], ['c']])
  })

  it('by the load itself: deletes nothing, instead of loading endlessly', async () => {
    let calls = 0
    const { registry } = clockedRegistry({
      load: async (id) => {
        calls += 1
        await settle()
        return [String(registry.delete(id))]
      },
    })

    expect(await registry.open('a')).toEqual(['false'])
    expect(calls).toBe(1)
  })

  it('by a factory: deletes nothing, as there is no session yet', async () => {
    const { registry } = clockedRegistry({ create: (id) => [String(registry.delete(id))] })

    expect(await registry.open('a')).toEqual(['false'])
  })

  it('by another visitor: the signal aborts in the context of the load, and the new load runs in that of its caller', async () => {
    const visitor = new AsyncLocalStorage<string>()
    const ran: string[] = []
    const { registry } = clockedRegistry({
      load: (_id, { signal }) => {
        ran.push(`load in ${visitor.getStore()}`)
        signal.addEventListener('abort', () => ran.push(`abort in ${visitor.getStore()}`))
        return ran.length > 1 ? Promise.resolve(['loaded']) : new Promise(() => {})
      },
    })
    const opened = visitor.run('ada', () => registry.open('a'))
    visitor.run('ben', () => registry.delete('a'))
    await opened

    expect(ran).toEqual(['load in ada', 'abort in ada', 'load in ada'])
  })

  it('after the first caller left: the new load runs in the context of a caller that still waits', async () => {
    const visitor = new AsyncLocalStorage<string>()
    const ran: string[] = []
    const controller = new AbortController()
    const { registry } = clockedRegistry({
      load: () => {
        ran.push(`load in ${visitor.getStore()}`)
        return ran.length > 1 ? Promise.resolve(['loaded']) : new Promise(() => {})
      },
    })
    registry.on('created', () => ran.push(`created in ${visitor.getStore()}`))
    observe(visitor.run('ada', () => registry.open('a', { signal: controller.signal })))
    const opened = visitor.run('ben', () => registry.open('a'))
    controller.abort()
    registry.delete('a')
    await opened

    expect(ran).toEqual(['load in ada', 'load in ben', 'created in ben'])
  })
})
