import { describe, expect, it, vi } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'

const loadsLater = () => {
  const loaded = deferred<string[] | undefined>()
  const load = vi.fn((_id: string, _context: { readonly signal: AbortSignal }) => loaded.promise)
  return { loaded, load }
}

describe('`create` of one call', () => {
  it('open: is used instead of the registry’s, and not called for a live session', async () => {
    const { registry } = clockedRegistry({ create: () => ['registry'] })
    const own = vi.fn((id: string) => [`made for ${id}`])

    expect(await registry.open('a', { create: own })).toEqual(['made for a'])
    expect(await registry.open('a', { create: () => ['another'] })).toEqual(['made for a'])
    expect(own).toHaveBeenCalledTimes(1)
  })

  it('run: is enough if the registry has no factory', async () => {
    const { registry } = clockedRegistry({ create: undefined })
    const value = registry.run('a', (session) => session.value, { create: () => ['own'] })

    expect(await value).toEqual(['own'])
  })

  it('is not called where `load` finds the session', async () => {
    const { registry } = clockedRegistry({ load: async () => ['loaded'] })
    const create = vi.fn(() => ['created'])

    expect(await registry.open('a', { create })).toEqual(['loaded'])
    expect(create).not.toHaveBeenCalled()
  })

  it('of several waiting calls: the first that has a factory creates the session', async () => {
    const { loaded, load } = loadsLater()
    const { registry } = clockedRegistry({ create: undefined, load })
    const opens = [
      registry.open('a'),
      registry.open('a', { create: () => ['second'] }),
      registry.open('a', { create: () => ['third'] }),
    ]
    loaded.resolve(undefined)

    expect(await Promise.all(opens)).toEqual([['second'], ['second'], ['second']])
  })

  it('its error rejects its caller, and leaves nothing behind', async () => {
    const { registry, events } = clockedRegistry()
    const error = new Error('no value today')
    const open = observe(
      registry.open('a', {
        create: () => {
          throw error
        },
      }),
    )
    await open.settled

    expect(open.error).toBe(error)
    expect(registry.size).toBe(0)
    expect(events.take()).toEqual([])
  })

  it('`false`: returns `undefined` if there is no session, and the value if there is one', async () => {
    const { registry } = clockedRegistry()

    expect(await registry.open('a', { create: false })).toBeUndefined()
    expect(registry.size).toBe(0)
    registry.set('a', ['there'])
    expect(await registry.open('a', { create: false })).toEqual(['there'])
  })

  it('`false`: still loads', async () => {
    const { registry } = clockedRegistry({ load: async () => ['loaded'] })

    expect(await registry.open('a', { create: false })).toEqual(['loaded'])
  })
})

describe('`signal` of an `open`', () => {
  it('ends the wait of its own call with its reason, and of no other', async () => {
    const { loaded, load } = loadsLater()
    const { registry } = clockedRegistry({ load })
    const controller = new AbortController()
    const first = observe(registry.open('a', { signal: controller.signal }))
    const second = observe(registry.open('a'))
    controller.abort('gone')
    await first.settled
    expect(first.error).toBe('gone')
    expect(second.state).toBe('pending')
    loaded.resolve(['loaded'])
    await second.settled

    expect(second.value).toEqual(['loaded'])
  })

  it('aborts the load once no other call waits for it', async () => {
    const { load } = loadsLater()
    const { registry } = clockedRegistry({ load })
    const controller = new AbortController()
    const open = observe(registry.open('a', { signal: controller.signal }))
    controller.abort('gone')
    await open.settled

    expect(load.mock.calls[0]?.[1].signal.aborted).toBe(true)
  })

  it('opens nothing if it aborted before', async () => {
    const { registry } = clockedRegistry()
    const open = observe(registry.open('a', { signal: AbortSignal.abort('too late') }))
    await open.settled

    expect(open.error).toBe('too late')
    expect(registry.size).toBe(0)
  })

  it('has a listener only while the call waits', async () => {
    const { loaded, load } = loadsLater()
    const { registry } = clockedRegistry({ load })
    const { signal } = new AbortController()
    const removed = vi.spyOn(signal, 'removeEventListener')
    const opens = [registry.open('a', { signal }), registry.open('a', { signal, create: false })]
    expect(removed).not.toHaveBeenCalled()
    loaded.resolve(undefined)
    await Promise.all(opens)

    expect(removed).toHaveBeenCalledTimes(1)
  })
})

describe('invalid options of an `open`', () => {
  it.each([
    ['create', { create: 'yes' }],
    ['create', { create: null }],
    ['signal', { signal: {} }],
    ['signal', { signal: { aborted: false, addEventListener: () => {} } }],
    ['known options', { waitMs: 5 }],
  ])('are refused by name: `%s`', async (name, options) => {
    const { registry } = clockedRegistry()
    const open = observe(registry.open('a', options as object))
    await open.settled

    expect(open.error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect((open.error as Error).message).toContain(name)
    expect(registry.size).toBe(0)
  })
})
