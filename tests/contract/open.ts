import { expect, it, vi } from 'vitest'
import { ManualLoad } from '../support/manual-load.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { type ContractHarness, eventually, record } from './harness.ts'

export function describeOpening(harness: ContractHarness): void {
  it('a session in the registry: is returned', async () => {
    const load = vi.fn(async () => ['loaded'])
    const registry = await harness.make({ load })
    await registry.set('a', ['hello'])

    expect(await registry.open('a')).toEqual(['hello'])
    expect(load).not.toHaveBeenCalled()
  })

  it('a session that is not there: is loaded', async () => {
    const load = vi.fn(async (id: string, _context: { signal: AbortSignal }) => [`loaded ${id}`])
    const create = vi.fn(() => ['created'])
    const registry = await harness.make({ load, create })
    const lines = record(registry)

    expect(await registry.open('a')).toEqual(['loaded a'])
    expect(create).not.toHaveBeenCalled()
    expect(load.mock.calls[0]?.[0]).toBe('a')
    expect(load.mock.calls[0]?.[1].signal).toBeInstanceOf(AbortSignal)
    await eventually(harness, () => expect(lines).toEqual(['created a']))
    expect((await registry.stats()).loaded).toBe(1)
  })

  it('nothing to load: creates the session', async () => {
    const registry = await harness.make({ load: async () => undefined, create: () => ['created'] })

    expect(await registry.open('a')).toEqual(['created'])
    expect(await registry.get('a')).toEqual(['created'])
  })

  it('nothing to load and no factory: rejects', async () => {
    const registry = await harness.make({ load: async () => undefined })

    expect(await failureOf(() => registry.open('a'))).toEqual(sessionError('ERR_SESSION_NO_FACTORY'))
    expect(await registry.has('a')).toBe(false)
  })

  it('concurrent calls of one id: share one load', async () => {
    const load = vi.fn(async () => {
      await harness.advance(harness.unitMs)
      return ['loaded']
    })
    const registry = await harness.make({ load })
    const lines = record(registry)
    const values = await Promise.all([
      registry.open('a'),
      registry.open('a'),
      registry.run('a', (s) => s.value),
    ])

    expect(values).toEqual([['loaded'], ['loaded'], ['loaded']])
    expect(load).toHaveBeenCalledTimes(1)
    await eventually(harness, () => expect(lines).toEqual(['created a']))
  })

  it('a failed load: rejects all waiting calls with its very error, and the next call tries again', async () => {
    const error = new Error('the database is down')
    const load = vi.fn(async (): Promise<string[]> => ['loaded'])
    load.mockRejectedValueOnce(error)
    const registry = await harness.make({ load })
    const opens = [
      observe(registry.open('a')),
      observe(registry.open('a')),
      observe(registry.run('a', () => {})),
    ]
    await Promise.all(opens.map(({ settled }) => settled))

    expect(opens.map((open) => open.error)).toEqual([error, error, error])
    for (const open of opens) expect(open.error).toBe(error)
    expect(await registry.has('a')).toBe(false)
    expect(await harness.size(registry)).toBe(0)
    expect(await registry.open('a')).toEqual(['loaded'])
  })

  it('a caller that leaves: its reason rejects no other call', async () => {
    const store = new ManualLoad()
    const registry = await harness.make({ load: store.load })
    const controller = new AbortController()
    const first = observe(registry.run('a', () => {}, { signal: controller.signal }))
    await eventually(harness, () => store.at(0))
    controller.abort('the page was reloaded')
    const second = observe(registry.run('a', (session) => session.value))
    store.at(0).reject(store.at(0).signal.reason)
    await eventually(harness, () => store.at(1).resolve(['loaded']))
    await Promise.all([first.settled, second.settled])

    expect(first.error).toBe('the page was reloaded')
    expect(second.error).toBeUndefined()
    expect(second.value).toEqual(['loaded'])
  })

  it('loadTimeoutMs: rejects the waiting calls, and frees the id', async () => {
    const store = new ManualLoad()
    const registry = await harness.make({ load: store.load, loadTimeoutMs: 3 * harness.unitMs })
    const opens = [observe(registry.open('a')), observe(registry.run('a', () => {}))]
    await eventually(harness, () => store.at(0))
    await harness.advance(harness.unitMs)
    expect(opens.map(({ state }) => state)).toEqual(['pending', 'pending'])
    await eventually(harness, () => expect(opens.map(({ state }) => state)).toEqual(['rejected', 'rejected']))
    const timedOut = sessionError('ERR_SESSION_LOAD_TIMEOUT')
    expect(opens.map(({ error }) => error)).toEqual([timedOut, timedOut])
    expect(store.at(0).signal.aborted).toBe(true)
    const again = observe(registry.open('a'))
    await eventually(harness, () => store.at(1).resolve(['loaded']))
    await again.settled

    expect(again.value).toEqual(['loaded'])
  })

  it.each(['delete', 'clear'] as const)(
    '%s during a load: drops its result, and the waiting calls load anew',
    async (member) => {
      const store = new ManualLoad()
      const registry = await harness.make({ load: store.load })
      const lines = record(registry)
      const opens = [observe(registry.open('a')), observe(registry.run('a', (session) => session.value))]
      await eventually(harness, () => store.at(0))
      const isDeleted = member === 'delete' ? await registry.delete('a') : (await registry.clear()) === 1
      expect(isDeleted).toBe(true)
      await eventually(harness, () => expect(store.at(0).signal.aborted).toBe(true))
      store.at(0).resolve(['from before the log-out'])
      await eventually(harness, () => store.at(1).resolve(['from after it']))
      await Promise.all(opens.map(({ settled }) => settled))

      expect(opens.map(({ value }) => value)).toEqual([['from after it'], ['from after it']])
      await eventually(harness, () => expect(lines).toEqual(['created a']))
    },
  )

  it('getOrCreate: does not create what has to be loaded', async () => {
    const create = vi.fn(() => [])
    const registry = await harness.make({ load: async () => ['loaded'], create })
    const needsOpen = sessionError('ERR_SESSION_NEEDS_OPEN')

    expect(await failureOf(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    expect(await failureOf(() => registry.getOrCreate('a', () => []))).toEqual(needsOpen)
    expect(create).not.toHaveBeenCalled()
    await registry.open('a')
    expect(await registry.getOrCreate('a')).toEqual(['loaded'])
  })
}
