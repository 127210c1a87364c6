import { describe, expect, it } from 'vitest'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { settle } from '../../support/settle.ts'

/** An `open` that the test can take back. */
function leavingOpen({ registry }: Pick<ReturnType<typeof disposingRegistry>, 'registry'>) {
  const controller = new AbortController()
  const opened = observe(registry.open('a', { signal: controller.signal }))
  return { opened, leave: () => controller.abort('gone') }
}

describe('what a `load` brought for no caller', () => {
  function loading(options: Parameters<typeof disposingRegistry>[0] = {}) {
    const store = new ManualLoad()
    return { store, ...disposingRegistry({ mode: 'sync', load: store.load, ...options }) }
  }

  it.each([
    ['those who waited have left', 'deleted'],
    ['the id was deleted', 'deleted'],
    ['the id was set', 'replaced'],
    ['the registry closed', 'closed'],
  ] as const)('is disposed of: %s', async (why, reason) => {
    const made = loading()
    const { opened, leave } = leavingOpen(made)
    if (why === 'those who waited have left') leave()
    if (why === 'the id was deleted') made.registry.delete('a')
    if (why === 'the id was set') made.registry.set('a', ['given'])
    if (why === 'the registry closed') observe(made.registry.close())
    made.store.at(0).resolve(['loaded'])
    await settle()

    expect(made.disposer.calls[0]).toMatchObject({ value: ['loaded'], reason, archived: false })
    expect(made.lines.filter((line) => line.startsWith('ended'))).toEqual([])
    expect(opened.value?.[0]).not.toBe('loaded')
  })

  it('is nothing to dispose of where there was no session', async () => {
    const made = loading()
    leavingOpen(made).leave()
    made.store.at(0).resolve(undefined)
    await settle()

    expect(made.disposer.calls).toEqual([])
  })

  it.each([
    ['those who waited have left', 'deleted'],
    ['the id was deleted', 'deleted'],
    ['the registry closed', 'closed'],
  ] as const)('is disposed of where it waited for its place: %s', async (why, reason) => {
    const made = loading({ mode: 'manual', maxSessions: 1 })
    made.registry.set('first', ['first'])
    const { leave } = leavingOpen(made)
    made.store.at(0).resolve(['loaded'])
    await settle()
    expect(made.disposer.values).toEqual([['first']])
    if (why === 'those who waited have left') leave()
    if (why === 'the id was deleted') made.registry.delete('a')
    if (why === 'the registry closed') observe(made.registry.close())
    await settle()

    expect(made.disposer.calls.slice(1)).toMatchObject([{ value: ['loaded'], reason }])
  })
})
