import { describe, expect, it } from 'vitest'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const endedError = sessionError('ERR_SESSION_ENDED')

function creating(options: Parameters<typeof disposingRegistry>[0] = {}) {
  const making = new ManualCreate()
  return { making, ...disposingRegistry({ mode: 'sync', create: making.create, ...options }) }
}

describe.each(['delete', 'clear'] as const)('%s of an id that is being made', (member) => {
  it('drops what comes of it, and those who wait open anew', async () => {
    const { registry, making, lines } = creating()
    const opened = observe(registry.open('a'))
    const ran = observe(registry.run('a', ({ value }) => value))
    expect(registry[member]('a')).toBe(member === 'delete' ? true : 1)
    await settle()
    expect(making.at(0).signal.reason).toEqual(endedError)
    expect([making.calls.length, opened.state]).toEqual([2, 'pending'])
    making.at(0).resolve(['first'])
    making.at(1).resolve(['second'])
    await settle()

    expect([opened.value, ran.value]).toEqual([['second'], ['second']])
    expect(lines).toEqual(['dispose first deleted', 'created a'])
    expect(registry.stats()).toMatchObject({ created: 1, deleted: 0 })
  })

  it('ends what `getOrCreate` began', async () => {
    const { registry, making, disposer, errors } = creating()
    expect(() => registry.getOrCreate('a')).toThrow()
    expect(registry[member]('a')).toBe(member === 'delete' ? true : 1)
    expect(making.at(0).signal.aborted).toBe(true)
    making.at(0).resolve(['late'])
    await settle()

    expect(disposer.calls).toMatchObject([{ value: ['late'], reason: 'deleted' }])
    expect([registry.has('a'), errors]).toEqual([false, []])
    expect(making.calls).toHaveLength(1)
  })

  it('has a place for the new value only when the old one is disposed of', async () => {
    const { registry, making } = creating({ maxSessions: 1 })
    observe(registry.open('a'))
    registry[member]('a')
    await settle()
    expect(making.calls).toHaveLength(1)
    making.at(0).resolve(['first'])
    await settle()

    expect(making.calls).toHaveLength(2)
  })

  it('by its own factory: deletes nothing', async () => {
    const results: unknown[] = []
    const { registry } = creating({
      create: async (id) => {
        await settle()
        results.push(registry[member](id))
        return ['made']
      },
    })

    expect(await registry.open('a')).toEqual(['made'])
    expect(results).toEqual([member === 'delete' ? false : 0])
  })
})
