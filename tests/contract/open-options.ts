import { expect, it, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import type { ContractHarness } from './harness.ts'

export function describeOpenOptions(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options = {}) => harness.make({ timeoutMs: 200 * unitMs, ...options })

  it('create of the call: makes the value if there is no session and nothing to load', async () => {
    const registry = await make({ create: () => ['registry'], load: async () => undefined })

    expect(await registry.open('a', { create: (id) => [`own of ${id}`] })).toEqual(['own of a'])
    expect(await registry.open('a', { create: () => ['another'] })).toEqual(['own of a'])
    expect(await registry.run('b', (session) => [...session.value], { create: () => ['run'] })).toEqual([
      'run',
    ])
  })

  it('create of the call: is enough without the registry’s', async () => {
    const registry = await make()

    expect(await registry.open('a', { create: () => ['own'] })).toEqual(['own'])
    expect(await registry.get('a')).toEqual(['own'])
  })

  it('create false: creates nothing', async () => {
    const create = vi.fn(() => [])
    const registry = await make({ create })

    expect(await registry.open('a', { create: false })).toBeUndefined()
    expect(create).not.toHaveBeenCalled()
    await registry.set('a', ['there'])
    expect(await registry.open('a', { create: false })).toEqual(['there'])
  })

  it('signal: ends the wait of its own call only', async () => {
    const loaded = deferred<string[]>()
    const registry = await make({ load: () => loaded.promise })
    const controller = new AbortController()
    const left = observe(registry.open('a', { signal: controller.signal }))
    const stayed = observe(registry.open('a'))
    await harness.advance(unitMs)
    controller.abort('gone')
    await left.settled
    loaded.resolve(['loaded'])
    await stayed.settled

    expect(left.error).toBe('gone')
    expect(stayed.value).toEqual(['loaded'])
  })
}
