import { expect, it, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { sessionError } from '../support/session-error.ts'
import type { ContractHarness, ContractOptions, ContractRegistry } from './harness.ts'

const notOwner = sessionError('ERR_SESSION_NOT_OWNER')

function say(word: string) {
  return ({ value }: { readonly value: string[] }) => {
    value.push(word)
  }
}

/** Owners of sessions that several calls wait for. */
export function describeOwnersOfNewSessions(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options: ContractOptions = {}) =>
    harness.make({ timeoutMs: 200 * unitMs, create: () => [], ...options })
  const ownerOf = async (registry: ContractRegistry, id = 'a') => (await registry.peek(id))?.owner

  it('of several calls that wait to make a session, is that of the first', async () => {
    const made = deferred<string[]>()
    const registry = await make({ create: () => made.promise })
    const opened = ['ada', 'bob', undefined].map((owner) =>
      registry.open('a', owner === undefined ? {} : { owner }),
    )
    const others = [
      registry.run('a', say('said'), { owner: 'ada' }),
      registry.run('a', say('no'), { owner: 'bob' }),
      registry.acquire('a', { owner: 'bob' }),
    ]
    await harness.advance(unitMs)
    made.resolve([])
    const outcomes = await Promise.allSettled([...opened, ...others])

    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ])
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toEqual(notOwner)
    expect(await registry.peek('a')).toMatchObject({ value: ['said'], owner: 'ada' })
  })

  it('of a session that is made is that of the first, who may have left, and a refused turn leaves no lock', async () => {
    const made = deferred<string[]>()
    const registry = await make({ create: () => made.promise })
    const controller = new AbortController()
    const left = observe(registry.open('a', { owner: 'ada', signal: controller.signal }))
    const refused = observe(registry.run('a', say('no'), { owner: 'bob' }))
    await harness.advance(unitMs)
    controller.abort('gone')
    await left.settled
    made.resolve([])
    await refused.settled

    expect([left.error, refused.error]).toEqual(['gone', notOwner])
    await registry.run('a', say('said'), { owner: 'ada', whenBusy: 'reject' })
    expect(await registry.get('a')).toEqual(['said'])
  })

  it('of a session that is made after the first has left or failed, is that of the next', async () => {
    const found = deferred<string[] | undefined>()
    const registry = await make({ load: () => found.promise })
    const controller = new AbortController()
    const left = observe(registry.open('a', { owner: 'ada', signal: controller.signal }))
    const failing = observe(
      registry.open('a', {
        owner: 'cleo',
        create: () => {
          throw new Error('no value')
        },
      }),
    )
    const stayed = observe(registry.open('a', { owner: 'bob' }))
    await harness.advance(unitMs)
    controller.abort('gone')
    await left.settled
    found.resolve(undefined)
    await Promise.all([failing.settled, stayed.settled])

    expect([left.error, (failing.error as Error).message, stayed.value]).toEqual(['gone', 'no value', []])
    expect(await ownerOf(registry)).toBe('bob')
  })

  it('of a turn that is made after the turn before it has left, is that turn’s', async () => {
    const found = deferred<string[] | undefined>()
    const registry = await make({ load: () => found.promise })
    const controller = new AbortController()
    const left = observe(registry.run('a', say('no'), { owner: 'ada', signal: controller.signal }))
    const stayed = observe(registry.run('a', say('said'), { owner: 'bob' }))
    await harness.advance(unitMs)
    controller.abort('gone')
    await left.settled
    found.resolve(undefined)
    await stayed.settled

    expect(stayed.error).toBeUndefined()
    expect(await registry.peek('a')).toMatchObject({ value: ['said'], owner: 'bob' })
  })

  it('is told to `load`, and bound to what it returns', async () => {
    const owners: unknown[] = []
    const found = deferred()
    const registry = await make({
      load: async (_id, { owner }) => {
        owners.push(owner)
        await found.promise
        return ['loaded']
      },
    })
    const outcomes = Promise.allSettled([
      registry.open('a', { owner: 'ada' }),
      registry.open('a', { owner: 'bob' }),
      registry.run('a', say('no'), { owner: 'bob' }),
      registry.open('b'),
      registry.open('b', { owner: 'ada' }),
    ])
    await harness.advance(unitMs)
    found.resolve()

    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
      'rejected',
    ])
    expect(owners).toEqual(['ada', undefined])
    expect([await ownerOf(registry), await ownerOf(registry, 'b')]).toEqual(['ada', undefined])
    expect(await registry.get('a')).toEqual(['loaded'])
  })
  it.each(['wait', 'interrupt'] as const)(
    'are those of the calls that make one: a turn that makes none takes no session for its owner, whenBusy %s',
    async (whenBusy) => {
      const found = deferred<string[] | undefined>()
      const registry = await make({ load: () => found.promise })
      const turn = observe(registry.run('a', say('said'), { owner: 'ada' }))
      await harness.advance(unitMs)
      const letIn = vi.fn()
      const other = observe(registry.run('a', letIn, { owner: 'bob', whenBusy, create: false }))
      await harness.advance(unitMs)
      found.resolve(undefined)
      await Promise.all([turn.settled, other.settled])

      expect(turn.error).toBeUndefined()
      expect(letIn).not.toHaveBeenCalled()
      expect(await registry.peek('a')).toMatchObject({ value: ['said'], owner: 'ada' })
    },
  )

  it('are not those of a turn that makes none, once the turn has left that would have made one', async () => {
    const found = deferred<string[] | undefined>()
    const registry = await make({ load: () => found.promise })
    const controller = new AbortController()
    const left = observe(registry.run('a', say('no'), { owner: 'ada', signal: controller.signal }))
    const stayed = observe(registry.run('a', say('no'), { owner: 'bob', create: false }))
    await harness.advance(unitMs)
    controller.abort('gone')
    await left.settled
    found.resolve(undefined)
    await stayed.settled

    expect([left.error, stayed.error, stayed.value]).toEqual(['gone', undefined, undefined])
    expect(await registry.peek('a')).toBeUndefined()
  })

  it.each(['wait', 'interrupt'] as const)(
    'are told to `load` before theirs is made: it is asked again for the next, whenBusy %s',
    async (whenBusy) => {
      const owners: unknown[] = []
      const found = deferred<string[] | undefined>()
      const registry = await make({
        load: async (_id, { owner }) => {
          owners.push(owner)
          await found.promise
          if (owner === 'bob') throw new Error('not yours')
          return undefined
        },
      })
      const controller = new AbortController()
      const left = observe(registry.run('a', say('no'), { owner: 'ada', signal: controller.signal }))
      await harness.advance(unitMs)
      const refused = [
        observe(registry.run('a', say('no'), { owner: 'bob', whenBusy })),
        observe(registry.run('a', say('no'), { owner: 'bob', whenBusy: 'join' })),
        observe(registry.open('a', { owner: 'bob' })),
      ]
      await harness.advance(unitMs)
      controller.abort('gone')
      await left.settled
      found.resolve(undefined)
      await Promise.all(refused.map(({ settled }) => settled))

      expect(left.error).toBe('gone')
      for (const { error } of refused) expect(error).toEqual(new Error('not yours'))
      expect(owners[0]).toBe('ada')
      expect(await registry.peek('a')).toBeUndefined()
    },
  )
}
