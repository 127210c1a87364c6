import { describe, expect, it } from 'vitest'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { ManualCreate } from '../../support/manual-create.ts'
import { observe } from '../../support/observed-promise.ts'
import { settle } from '../../support/settle.ts'

function creating(options: Parameters<typeof disposingRegistry>[0] = {}) {
  const making = new ManualCreate()
  return { making, ...disposingRegistry({ mode: 'sync', create: making.create, ...options }) }
}

/** An `open` that the test can take back. */
function leavingOpen({ registry }: Pick<ReturnType<typeof creating>, 'registry'>) {
  const controller = new AbortController()
  const opened = observe(registry.open('a', { signal: controller.signal }))
  return { opened, leave: () => controller.abort('gone') }
}

describe('the signal of an asynchronous `create`', () => {
  it('aborts when the last caller that waits has left, and not before', async () => {
    const made = creating()
    const first = leavingOpen(made)
    const second = leavingOpen(made)
    first.leave()
    await settle()
    expect(first.opened.error).toBe('gone')
    expect(made.making.at(0).signal.aborted).toBe(false)
    second.leave()

    expect(made.making.at(0).signal.aborted).toBe(true)
  })

  it('does not abort once the value was taken', async () => {
    const made = creating()
    const { opened, leave } = leavingOpen(made)
    made.making.at(0).resolve(['made'])
    await settle()
    leave()
    made.registry.delete('a')

    expect(opened.value).toEqual(['made'])
    expect(made.making.at(0).signal.aborted).toBe(false)
  })

  it('has aborted when it is first read late', async () => {
    let context: { readonly signal: AbortSignal } | undefined
    const made = creating({
      create: (_id, given) => {
        context = given
        return new Promise<never>(() => {})
      },
    })
    leavingOpen(made).leave()

    expect(context?.signal.aborted).toBe(true)
  })
})

describe('a value that is made when no caller waits any more', () => {
  it('is disposed of with `deleted`, without events, unarchived', async () => {
    const made = creating()
    leavingOpen(made).leave()
    made.making.at(0).resolve(['late'])
    await settle()

    expect(made.disposer.calls).toMatchObject([{ value: ['late'], reason: 'deleted', archived: false }])
    expect(made.lines).toEqual(['dispose late deleted'])
    expect(made.registry.stats()).toMatchObject({ size: 0, created: 0, disposing: 0, deleted: 0 })
  })

  it('is not disposed of where it fails, which concerns no one', async () => {
    const made = creating()
    leavingOpen(made).leave()
    made.making.at(0).reject(new Error('aborted'))
    await settle()

    expect([made.lines, made.errors]).toEqual([[], []])
  })

  it('is not used by a later call, which makes its own', async () => {
    const made = creating()
    leavingOpen(made).leave()
    const next = observe(made.registry.open('a'))
    await settle()
    expect(made.making.calls).toHaveLength(2)
    made.making.at(1).resolve(['new'])
    made.making.at(0).resolve(['late'])
    await settle()

    expect(next.value).toEqual(['new'])
    expect(made.disposer.values).toEqual([['late']])
  })

  it('a failure of its disposal is an `error` event without a session', async () => {
    const made = creating({ mode: 'throwing' })
    leavingOpen(made).leave()
    made.making.at(0).resolve(['late'])
    await settle()

    expect(made.errors).toMatchObject([{ code: 'ERR_SESSION_DISPOSE_FAILED', cause: made.disposer.failure }])
    expect(made.errors[0]).not.toHaveProperty('session')
  })

  it('its id is opened again only when it is disposed of', async () => {
    const made = creating({ mode: 'manual' })
    leavingOpen(made).leave()
    made.making.at(0).resolve(['late'])
    await settle()
    const next = observe(made.registry.open('a'))
    await settle()
    expect([made.making.calls.length, made.registry.stats().disposing]).toEqual([1, 1])
    made.disposer.at(0).resolve()
    await settle()

    expect(made.making.calls).toHaveLength(2)
    expect(next.state).toBe('pending')
  })
})

describe('the place of a creation that no caller waits for', () => {
  it('is kept until what it made is disposed of', async () => {
    const made = creating({ mode: 'manual', maxSessions: 1 })
    leavingOpen(made).leave()
    const next = observe(made.registry.open('b'))
    await settle()
    expect(made.making.ids).toEqual(['a'])
    made.making.at(0).resolve(['late'])
    await settle()
    expect(made.making.ids).toEqual(['a'])
    made.disposer.at(0).resolve()
    await settle()

    expect(made.making.ids).toEqual(['a', 'b'])
    expect(next.state).toBe('pending')
  })

  it('is free when the factory fails', async () => {
    const made = creating({ maxSessions: 1 })
    leavingOpen(made).leave()
    observe(made.registry.open('b'))
    made.making.at(0).reject(new Error('aborted'))
    await settle()

    expect(made.making.ids).toEqual(['a', 'b'])
  })

  it('is kept for `loadTimeoutMs` from the call of the hook, at most', async () => {
    const made = creating({ maxSessions: 1, loadTimeoutMs: 700 })
    const { leave } = leavingOpen(made)
    await made.clock.advanceAsync(300)
    leave()
    observe(made.registry.open('b'))
    await made.clock.advanceAsync(399)
    expect(made.making.ids).toEqual(['a'])
    await made.clock.advanceAsync(1)
    expect(made.making.ids).toEqual(['a', 'b'])
    made.making.at(0).resolve(['much later'])
    await settle()

    expect(made.disposer.calls).toMatchObject([{ value: ['much later'], reason: 'deleted' }])
  })

  it('is released once', async () => {
    const made = creating({ maxSessions: 2, loadTimeoutMs: 700 })
    leavingOpen(made).leave()
    await made.clock.advanceAsync(700)
    for (const id of ['b', 'c', 'd']) observe(made.registry.open(id))
    await settle()
    made.making.at(0).resolve(['late'])
    await settle()

    expect(made.making.ids).toEqual(['a', 'b', 'c'])
  })
})

describe('a value whose id got another session meanwhile', () => {
  it.each(['set', 'replace'] as const)(
    'is disposed of with `replaced`, by `%s`: those who wait take the session',
    async (how) => {
      const { registry, making, lines } = creating()
      const opened = observe(registry.open('a'))
      const ran = observe(registry.run('a', ({ value }) => value))
      await settle()
      registry[how]('a', ['given'])
      await settle()
      expect(making.at(0).signal.aborted).toBe(true)
      expect([opened.value, ran.value]).toEqual([['given'], ['given']])
      making.at(0).resolve(['late'])
      await settle()

      expect(lines).toEqual(['created a', 'dispose late replaced'])
      expect(registry.get('a')).toEqual(['given'])
    },
  )

  it('is disposed of with `replaced` though an earlier one of the same call was deleted', async () => {
    const { registry, making, disposer } = creating()
    observe(registry.open('a'))
    registry.delete('a')
    await settle()
    registry.set('a', ['given'])
    making.at(1).resolve(['second'])
    making.at(0).resolve(['first'])
    await settle()

    expect(disposer.calls).toMatchObject([
      { value: ['second'], reason: 'replaced' },
      { value: ['first'], reason: 'deleted' },
    ])
  })

  it('where the value was made by a factory that created the session itself: the first one wins', () => {
    const { registry, disposer } = creating({
      create: (id) => {
        if (!registry.has(id)) registry.set(id, ['by the factory'])
        return ['second']
      },
    })

    expect(registry.getOrCreate('a')).toEqual(['by the factory'])
    expect(disposer.calls).toMatchObject([{ value: ['second'], reason: 'replaced' }])
  })

  it('where the factory of `getOrCreate` has closed the registry: with `closed`', () => {
    const { registry, disposer } = creating({
      create: () => {
        void registry.close()
        return ['too late']
      },
    })

    expect(() => registry.getOrCreate('a')).toThrow()
    expect(disposer.calls).toMatchObject([{ value: ['too late'], reason: 'closed' }])
  })
})
