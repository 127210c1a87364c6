import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { settle } from '../../support/settle.ts'

describe('`settled`', () => {
  it('waits for disposals', async () => {
    const { registry, disposer, lines } = disposingRegistry()
    registry.getOrCreate('a')
    registry.delete('a')
    const settled = observe(registry.settled())
    await settle()
    expect(settled.state).toBe('pending')
    disposer.at(0).resolve()
    await settled.settled

    expect(lines.at(-1)).toBe('ended a deleted')
  })

  it('waits for the disposal of a value that a turn still uses', async () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync' })
    const turn = beginTurn(registry, 'a')
    registry.delete('a')
    const settled = observe(registry.settled())
    await settle()
    expect(settled.state).toBe('pending')
    turn.end.resolve('done')
    await settled.settled

    expect(disposer.calls).toHaveLength(1)
  })

  it.each(['open', 'getOrCreate'] as const)('waits for what is being made: %s', async (member) => {
    const making = new ManualCreate()
    const { registry } = disposingRegistry({ create: making.create })
    if (member === 'open') observe(registry.open('a'))
    else expect(() => registry.getOrCreate('a')).toThrow()
    const settled = observe(registry.settled())
    await settle()
    expect(settled.state).toBe('pending')
    making.at(0).resolve([])
    await settled.settled

    expect(registry.has('a')).toBe(true)
  })

  it('waits for what is made for no caller, and for its disposal', async () => {
    const making = new ManualCreate()
    const { registry, disposer } = disposingRegistry({ create: making.create })
    const controller = new AbortController()
    observe(registry.open('a', { signal: controller.signal }))
    controller.abort()
    const settled = observe(registry.settled())
    await settle()
    making.at(0).resolve(['late'])
    await settle()
    expect([settled.state, disposer.calls.length]).toEqual(['pending', 1])
    disposer.at(0).resolve()
    await settle()

    expect(settled.state).toBe('fulfilled')
  })

  it('fulfils at once where nothing is under way', async () => {
    const { registry } = disposingRegistry({ mode: 'sync' })
    registry.getOrCreate('a')
    registry.delete('a')
    const settled = observe(registry.settled())
    await settle()

    expect(settled.state).toBe('fulfilled')
  })
})
