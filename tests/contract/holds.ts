import { expect, it } from 'vitest'
import { observe } from '../support/observed-promise.ts'
import { sessionError } from '../support/session-error.ts'
import { type ContractHarness, type ContractOptions, eventually } from './harness.ts'

export function describeHolds(harness: ContractHarness): void {
  const { unitMs } = harness

  async function make(options: ContractOptions = {}) {
    const registry = await harness.make({ create: () => [], timeoutMs: 2 * unitMs, ...options })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    return { registry, errors }
  }

  it('maxMs: a hold that is not renewed within it ends, with an error', async () => {
    const { registry, errors } = await make()
    await registry.open('a')
    const hold = await registry.hold('a', { maxMs: 6 * unitMs })
    await harness.advance(4 * unitMs)
    expect((await registry.peek('a'))?.held).toBe(true)
    expect(await hold?.renew()).toBe(true)
    await harness.advance(4 * unitMs)
    expect((await registry.peek('a'))?.held).toBe(true)
    expect(errors).toEqual([])
    await eventually(harness, () => expect(errors).toEqual([sessionError('ERR_SESSION_TURN_TIMEOUT')]))

    expect(await hold?.renew()).toBe(false)
  })

  it('maxHoldMs: limits a hold, and `maxTurnMs` does not', async () => {
    const { registry, errors } = await make({ maxTurnMs: unitMs, maxHoldMs: 6 * unitMs })
    await registry.open('a')
    await registry.hold('a')
    await harness.advance(4 * unitMs)
    expect((await registry.peek('a'))?.held).toBe(true)
    await eventually(harness, () => expect(errors).toHaveLength(1))
  })

  it('session: is that of the hold, which no longer holds once it was deleted', async () => {
    const { registry } = await make()
    await registry.set('a', ['hello'])
    const hold = await registry.hold('a')
    expect(hold?.session.id).toBe('a')
    expect(hold?.session.value).toEqual(['hello'])
    await registry.delete('a')

    expect(await hold?.renew()).toBe(false)
    await hold?.release()
  })

  it('acquire: opens and holds in one step', async () => {
    const { registry } = await make({ load: async () => ['loaded'] })
    const hold = await registry.acquire('a')
    await harness.advance(5 * unitMs)
    await registry.sweep()
    expect(hold?.session.value).toEqual(['loaded'])
    expect((await registry.peek('a'))?.held).toBe(true)
    await hold?.release()

    expect((await registry.peek('a'))?.held ?? false).toBe(false)
  })

  it('acquire with `create: false`: returns what is there, and creates nothing', async () => {
    const { registry } = await make()
    expect(await registry.acquire('a', { create: false })).toBeUndefined()
    expect(await registry.has('a')).toBe(false)
    await registry.set('a', [])
    const hold = await registry.acquire('a', { create: false })

    expect(hold?.session.id).toBe('a')
    await hold?.release()
  })

  it('acquire: its signal ends the wait, and then nothing is held', async () => {
    const { registry } = await make({ load: () => new Promise<undefined>(() => {}) })
    const controller = new AbortController()
    const left = observe(registry.acquire('a', { signal: controller.signal }))
    await harness.advance(unitMs)
    controller.abort('gone')
    await left.settled

    expect(left.error).toBe('gone')
    expect(await registry.has('a')).toBe(false)
  })
}
