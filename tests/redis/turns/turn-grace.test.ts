import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const generous = { timeout: 30_000 }
const timedOut = sessionError('ERR_SESSION_TURN_TIMEOUT')

describeOnRedis('the grace of a turn', (redis) => {
  async function processes(options: Partial<RegistryOptions<string[]>> = {}) {
    const all = {
      prefix: uniquePrefix(),
      intervalMs: Number.POSITIVE_INFINITY,
      maxTurnMs: 100,
      turnGraceMs: 5_000,
      create: () => [],
      ...options,
    }
    return [await testRegistry<string[]>(redis, all), await testRegistry<string[]>(redis, all)] as const
  }

  /** The clean-up of a turn that obeys its signal. */
  const aborted = (signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

  it('turn that obeys: is saved before the next one of any process begins', generous, async () => {
    const [one, other] = await processes()
    const seen: string[][] = []
    const obedient = one.run('a', async (session, signal) => {
      session.value.push('question')
      await aborted(signal)
      await wait(100)
      session.value.push('(cut short)')
      return signal.reason
    })
    await expect.poll(async () => (await other.peek('a'))?.held).toBe(true)
    const next = other.run('a', ({ value }) => void seen.push([...value]))

    expect(await obedient).toEqual(timedOut)
    await next
    expect(seen).toEqual([['question', '(cut short)']])
    expect(await one.stats()).toMatchObject({ turnTimeouts: 1, running: 0, waiting: 0 })
  })

  it('turn that throws in its grace: rejects with its own error, and saves nothing', generous, async () => {
    const [one] = await processes()
    const error = new Error('stopped')
    const turn = one.run('a', async (session, signal) => {
      session.value.push('question')
      await aborted(signal)
      throw error
    })

    expect(await failureOf(() => turn)).toBe(error)
    expect(await one.get('a')).toEqual([])
  })

  it('turn that does not obey: ends after the grace, and saves nothing from then on', generous, async () => {
    const [one, other] = await processes({ turnGraceMs: 150 })
    const goOn = deferred()
    const nested = deferred<unknown>()
    const late = observe(
      one.run('a', async (session, signal) => {
        await aborted(signal)
        const inGrace = await one.run('a', ({ value }) => value.push('in the grace'))
        await goOn.promise
        session.value.push('late')
        nested.resolve(await failureOf(() => one.run('a', () => {})))
        return inGrace
      }),
    )
    await late.settled
    expect(late.error).toEqual(timedOut)
    expect(await other.run('a', ({ value }) => value.length)).toBe(0)
    goOn.resolve()

    expect(await nested.promise).toEqual(timedOut)
    expect(await one.run('a', ({ value }) => value)).toEqual([])
  })

  it('aborted stream: ends after the grace, and saves nothing from then on', generous, async () => {
    const [one, other] = await processes({ maxTurnMs: 60_000, turnGraceMs: 150 })
    const controller = new AbortController()
    const goOn = deferred()
    const nested = deferred<unknown>()
    const parts = one.stream(
      'a',
      async function* (session) {
        try {
          session.value.push('question')
          yield 'first'
        } finally {
          await goOn.promise
          session.value.push('late')
          nested.resolve(await failureOf(() => one.run('a', () => {})))
        }
      },
      { signal: controller.signal },
    )
    await parts.next()
    controller.abort('the visitor hung up')
    expect(await other.run('a', ({ value }) => value.length)).toBe(0)
    goOn.resolve()

    expect(await nested.promise).toBe('the visitor hung up')
    expect(await failureOf(() => parts.next())).toBe('the visitor hung up')
    expect(await one.run('a', ({ value }) => value)).toEqual([])
  })

  it('turnGraceMs 0: the turn ends at once', generous, async () => {
    const [one] = await processes({ turnGraceMs: 0 })
    const turn = one.run('a', async (_session, signal) => {
      await aborted(signal)
      await wait(1_000)
    })

    expect(await failureOf(() => turn)).toEqual(timedOut)
    expect(await one.run('a', () => 'next')).toBe('next')
  })

  it('close: a turn that obeys at the deadline is saved before `close` settles', generous, async () => {
    const [one, other] = await processes({ maxTurnMs: 60_000 })
    const begun = deferred()
    const turn = observe(
      one.run('a', async (session, signal) => {
        begun.resolve()
        await aborted(signal)
        await wait(50)
        session.value.push('closed in order')
      }),
    )
    await begun.promise
    await one.close({ deadlineMs: 50 })

    expect(turn.state).toBe('fulfilled')
    expect(await other.get('a')).toEqual(['closed in order'])
  })

  it('suspended process: a response in the socket is read before the limit applies', generous, async () => {
    const [one, other] = await processes({ maxTurnMs: 200 })
    const wasAborted = await one.run('a', async (_session, signal) => {
      const answer = other.has('a')
      await new Promise((resolve) => setImmediate(resolve))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
      await answer
      return signal.aborted
    })

    expect(wasAborted).toBe(false)
    expect((await one.stats()).turnTimeouts).toBe(0)
  })

  it('joined turn: has a grace too, and saves what no other turn has changed', generous, async () => {
    const [one, other] = await processes()
    await one.open('a')
    await one.run(
      'a',
      async (session, signal) => {
        await aborted(signal)
        session.value.push('from beside')
      },
      { whenBusy: 'join' },
    )

    expect(await other.get('a')).toEqual(['from beside'])
  })
})
