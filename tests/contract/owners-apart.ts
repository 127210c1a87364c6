import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { sessionError } from '../support/session-error.ts'
import type { ContractHarness, ContractOptions } from './harness.ts'

const notOwner = sessionError('ERR_SESSION_NOT_OWNER')

function say(word: string) {
  return ({ value }: { readonly value: string[] }) => {
    value.push(word)
  }
}

/** Calls of several owners that wait for one session: what concerns one of them concerns no other. */
export function describeOwnersApart(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options: ContractOptions = {}) =>
    harness.make({ timeoutMs: 200 * unitMs, create: () => [], ...options })

  it('decide who is told that `load` has failed: the calls of others have one of their own', async () => {
    const owners: unknown[] = []
    const refused = new Error('not yours')
    const asked = deferred()
    const registry = await make({
      load: async (_id, { owner }) => {
        owners.push(owner)
        await asked.promise
        if (owner !== 'ada') throw refused
        return ['loaded']
      },
    })
    const calls = (options: { readonly owner?: string }) =>
      Promise.allSettled([
        registry.run('a', say('said'), options),
        registry.run('a', () => {}, { ...options, whenBusy: 'join' }),
        registry.open('a', options),
        registry.acquire('a', options),
      ])
    const outcomes = [calls({ owner: 'bob' }), calls({ owner: 'ada' }), calls({})]
    await harness.advance(unitMs)
    asked.resolve()
    const [ofBob, ofAda] = await Promise.all(outcomes)

    // One that comes late finds the session of the other owner.
    for (const outcome of ofBob ?? [])
      expect([refused, notOwner]).toContainEqual('reason' in outcome && outcome.reason)
    expect(ofBob?.[2]).toEqual({ status: 'rejected', reason: refused })
    expect(ofAda?.map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
    expect(await registry.peek('a')).toMatchObject({ owner: 'ada' })
    expect(owners.indexOf('bob')).toBe(0)
  })
  it('are served what their own calls make: a failing factory, or none, concerns one call', async () => {
    const found = deferred<string[] | undefined>()
    const registry = await harness.make({ timeoutMs: 200 * unitMs, load: () => found.promise })
    const broken = new Error('broken')
    const fail = () => {
      throw broken
    }
    const turn = (owner: string, create?: () => string[]) =>
      registry.run('a', say('said'), create === undefined ? { owner } : { owner, create })
    const outcomes = Promise.allSettled([
      turn('ada', fail),
      turn('ben'),
      turn('cleo', () => ['of cleo']),
      turn('dan', () => ['of dan']),
    ])
    await harness.advance(unitMs)
    found.resolve(undefined)
    const [ada, ben, cleo, dan] = await outcomes

    expect(ada).toEqual({ status: 'rejected', reason: broken })
    expect(ben).toEqual({ status: 'rejected', reason: sessionError('ERR_SESSION_NO_FACTORY') })
    expect(cleo?.status).toBe('fulfilled')
    expect(dan).toEqual({ status: 'rejected', reason: notOwner })
    expect(await registry.peek('a')).toMatchObject({ owner: 'cleo', value: ['of cleo', 'said'] })
  })

  it('are served by `load` and a factory that run in the context of a call of theirs', async () => {
    const caller = new AsyncLocalStorage<string>()
    const contexts: string[] = []
    const asked = deferred()
    const registry = await make({
      load: async (_id, { owner }) => {
        contexts.push(`load for ${owner} in the context of ${caller.getStore()}`)
        await asked.promise
        if (owner === 'ada') throw new Error('not yours')
        return undefined
      },
    })
    const run = (owner: string) =>
      caller.run(owner, () =>
        registry.run('a', say('said'), {
          owner,
          create: () => {
            contexts.push(`create of ${owner} in the context of ${caller.getStore()}`)
            return []
          },
        }),
      )
    const outcomes = Promise.allSettled([run('ada'), run('ben')])
    await harness.advance(unitMs)
    asked.resolve()
    const [ada, ben] = await outcomes

    expect([ada.status, ben.status]).toEqual(['rejected', 'fulfilled'])
    expect(contexts).toEqual([
      'load for ada in the context of ada',
      'load for ben in the context of ben',
      'create of ben in the context of ben',
    ])
  })

  it('do not wait for ever while calls of another are refused again and again', async () => {
    const registry = await make({
      load: async (_id, { owner }) => {
        for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
        if (owner !== 'ada') throw new Error('not yours')
        return ['loaded']
      },
    })
    let isOpen = false
    const strangers: Promise<unknown>[] = []
    const ask = () => {
      if (isOpen || strangers.length > 3_000) return
      for (let calls = 0; calls < 3; calls += 1)
        strangers.push(registry.open('a', { owner: 'bob' }).catch(() => {}))
      setImmediate(ask)
    }
    ask()
    const opened = registry.open('a', { owner: 'ada' }).finally(() => {
      isOpen = true
    })
    await harness.advance(unitMs)

    expect(await opened).toEqual(['loaded'])
    expect(strangers.length).toBeLessThan(3_000)
    await Promise.all(strangers)
  })

  it('are refused by `load` alone, each in every kind of call, and none is repeated', async () => {
    const load = vi.fn(async () => {
      throw new Error('not yours')
    })
    const registry = await make({ load })
    const calls: readonly (() => Promise<unknown>)[] = [
      () => registry.open('a', { owner: 'ada' }),
      () => registry.acquire('a', { owner: 'ada' }),
      () => registry.run('a', say('no'), { owner: 'ada' }),
      () => registry.run('a', say('no'), { owner: 'ada', whenBusy: 'join' }),
      () => registry.stream('a', async function* () {}, { owner: 'ada' }).next(),
    ]
    for (const call of calls) {
      const refused = observe(call())
      await harness.advance(unitMs)
      await refused.settled
      expect(refused.error).toEqual(new Error('not yours'))
    }
    expect(load).toHaveBeenCalledTimes(calls.length)
  })

  it('are many, each with a factory that throws: all are told', async () => {
    const found = deferred<string[] | undefined>()
    const registry = await make({ load: () => found.promise })
    const opened = Array.from({ length: 20 }, (_, index) =>
      registry.open('a', {
        owner: `owner ${index}`,
        create: () => {
          throw new Error(`no value ${index}`)
        },
      }),
    )
    const outcomes = Promise.allSettled(opened)
    await harness.advance(unitMs)
    found.resolve(undefined)

    expect(await outcomes).toEqual(
      opened.map((_, index) => ({ status: 'rejected', reason: new Error(`no value ${index}`) })),
    )
  })

  it('find a session that was refused to the next turn unlocked', async () => {
    const leaving = new AbortController()
    const registry = await make({
      create: () => {
        setImmediate(() => leaving.abort('gone'))
        return []
      },
    })
    const left = observe(registry.run('a', say('no'), { owner: 'ada', signal: leaving.signal }))
    const refused = observe(registry.run('a', say('no'), { owner: 'bob' }))
    await harness.advance(unitMs)
    await Promise.all([left.settled, refused.settled])

    await registry.run('a', say('said'), { owner: 'ada', whenBusy: 'reject' })
    expect((await registry.peek('a'))?.value.at(-1)).toBe('said')
  })
  it('share a load after that of another owner has failed, and its end when the registry closes', async () => {
    const owners: unknown[] = []
    const registry = await make({
      load: async (_id, { owner }) => {
        owners.push(owner)
        if (owner === 'bob') throw new Error('not yours')
        return new Promise<string[]>(() => {})
      },
    })
    const refused = observe(registry.open('a', { owner: 'bob' }))
    const first = observe(registry.open('a', { owner: 'ada' }))
    await refused.settled
    await harness.advance(unitMs)
    const second = observe(registry.open('a', { owner: 'ada' }))
    await harness.advance(unitMs)

    expect(owners).toEqual(['bob', 'ada'])
    expect([first.state, second.state]).toEqual(['pending', 'pending'])
    const closed = registry.close({ deadlineMs: 0 })
    await harness.advance(unitMs)
    await Promise.all([first.settled, second.settled])
    expect([first.error, second.error]).toEqual(Array(2).fill(sessionError('ERR_SESSION_REGISTRY_CLOSED')))
    await closed
  })
}
