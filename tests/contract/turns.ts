import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { sessionError } from '../support/session-error.ts'
import { type ContractHarness, collect, eventually } from './harness.ts'
import { startTurn } from './started-turn.ts'

export function describeTurns(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options = {}) =>
    harness.make({ create: () => [], timeoutMs: 200 * unitMs, maxTurnMs: 100 * unitMs, ...options })

  it('gives what the turn gives, and keeps what it changed', async () => {
    const registry = await make()
    const result = await registry.run('a', async (session, signal) => {
      expect(session.id).toBe('a')
      expect(signal.aborted).toBe(false)
      session.value.push('hello')
      return 42
    })

    expect(result).toBe(42)
    expect(await registry.get('a')).toEqual(['hello'])
  })

  it('keeps a value that a turn assigned', async () => {
    const registry = await make()
    await registry.run('a', (session) => {
      session.value = ['assigned']
    })

    expect(await registry.get('a')).toEqual(['assigned'])
  })

  it('rejects with the very error of a turn that throws, and the session lives on', async () => {
    const registry = await make()
    const error = new Error('the model is overloaded')
    const late = observe(registry.run('a', () => Promise.reject(error)))
    const sync = observe(
      registry.run('a', () => {
        throw error
      }),
    )
    await Promise.all([late.settled, sync.settled])

    expect(late.error).toBe(error)
    expect(sync.error).toBe(error)
    expect(await registry.has('a')).toBe(true)
    expect((await registry.peek('a'))?.held).toBe(false)
    expect(await registry.run('a', () => 'next')).toBe('next')
  })

  it('runs the turns of one session one at a time, in the order asked', async () => {
    const registry = await make()
    const log: string[] = []
    const turn = (name: string) => async () => {
      log.push(`${name} starts`)
      await Promise.resolve()
      await Promise.resolve()
      log.push(`${name} ends`)
    }
    await Promise.all(['1', '2', '3'].map((name) => registry.run('a', turn(name))))

    expect(log).toEqual(['1 starts', '1 ends', '2 starts', '2 ends', '3 starts', '3 ends'])
  })

  it('runs the turns of different sessions side by side', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')

    expect(await registry.run('b', () => 'beside')).toBe('beside')
    expect(first.run.state).toBe('pending')
    first.finish()
    await first.run.settled
  })

  it('lets a turn see what the turn before it changed', async () => {
    const registry = await make()
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        registry.run('a', async (session) => {
          const seen = [...session.value]
          await Promise.resolve()
          session.value = [...seen, String(index)]
        }),
      ),
    )

    expect(await registry.get('a')).toEqual(Array.from({ length: 20 }, (_, index) => String(index)))
  })

  it('shows the value of the turn to reads inside the turn', async () => {
    const registry = await make()
    await registry.run('a', async (session) => {
      session.value.push('inside')
      expect(await registry.get('a')).toEqual(['inside'])
      expect(await registry.open('a')).toEqual(['inside'])
      expect((await registry.peek('a'))?.held).toBe(true)
    })
  })

  it('joins a run inside a turn of the same id to that turn, at once', async () => {
    const registry = await make()
    const outer = await registry.run('a', async (session) => {
      session.value.push('outer')
      await Promise.resolve()
      return registry.run('a', async (inner) => {
        inner.value.push('inner')
        return registry.run('a', (innermost) => [...innermost.value])
      })
    })

    expect(outer).toEqual(['outer', 'inner'])
    expect(await registry.get('a')).toEqual(['outer', 'inner'])
  })

  it('joins a run inside a turn ahead of the turns that wait', async () => {
    const registry = await make()
    const log: string[] = []
    const gate = deferred()
    const started = deferred()
    const outer = registry.run('a', async () => {
      started.resolve()
      await gate.promise
      await registry.run('a', () => log.push('inner'))
      log.push('outer')
    })
    await started.promise
    const queued = registry.run('a', () => log.push('queued'))
    gate.resolve()
    await Promise.all([outer, queued])

    expect(log).toEqual(['inner', 'outer', 'queued'])
  })

  it('runs a queued turn in the async context of its own caller', async () => {
    const registry = await make()
    const requests = new AsyncLocalStorage<string>()
    const first = await requests.run('first', () => startTurn(registry, 'a'))
    const queued = requests.run('second', () => registry.run('a', () => requests.getStore()))
    first.finish()

    expect(await queued).toBe('second')
  })

  it('says in which turn it is, across `await`, nested, beside and in streams', async () => {
    const registry = await make()
    const nested = await registry.run('a', async (session) => {
      await Promise.resolve()
      const { id, incarnation } = session
      expect(registry.current()).toMatchObject({ id, incarnation })
      return registry.run('b', () => registry.current()?.id)
    })
    const beside = await registry.run('a', () => registry.current()?.id, { whenBusy: 'join' })
    const parts = await collect(
      registry.stream('c', async function* () {
        yield registry.current()?.id
      }),
    )

    expect([nested, beside, parts]).toEqual(['b', 'a', ['c']])
    expect(registry.current()).toBeUndefined()
  })

  it('does not call a turn that may not create where there is no session', async () => {
    const load = vi.fn(async () => undefined)
    const registry = await make({ load })
    const turn = vi.fn(() => 'called')

    expect(await registry.run('a', turn, { create: false })).toBeUndefined()
    expect(turn).not.toHaveBeenCalled()
    expect(load).toHaveBeenCalledTimes(1)
    expect(await registry.has('a')).toBe(false)
    await registry.open('a')
    expect(await registry.run('a', turn, { create: false })).toBe('called')
  })

  it('loads for a turn that may not create', async () => {
    const registry = await make({ load: async () => ['loaded'] })

    expect(await registry.run('a', (session) => session.value, { create: false })).toEqual(['loaded'])
  })

  it('ends a turn that takes too long, and what it does afterwards changes nothing', async () => {
    const registry = await make({ maxTurnMs: 5 * unitMs })
    const first = await startTurn(registry, 'a', 'late')
    const second = observe(registry.run('a', (session) => [...session.value]))
    await harness.advance(2 * unitMs)
    expect(first.signal.aborted).toBe(false)
    await eventually(harness, () => expect(first.run.state).toBe('rejected'))

    expect(first.run.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    expect(first.signal.aborted).toBe(true)
    expect(first.signal.reason).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    await second.settled
    expect(second.value).toEqual([])
    first.finish()
    await harness.advance(unitMs)
    expect((await registry.peek('a'))?.held).toBe(false)
    expect(await registry.run('a', () => 'next')).toBe('next')
  })

  it('keeps a session from ending while a turn runs', async () => {
    const registry = await make({ timeoutMs: 4 * unitMs, maxAgeMs: 6 * unitMs })
    const first = await startTurn(registry, 'a')
    await harness.advance(8 * unitMs)
    await registry.sweep()
    expect((await registry.peek('a'))?.held).toBe(true)
    first.finish()
    await first.run.settled

    expect(first.run.value).toBe('first')
    // Its age was due meanwhile, so that it is over as soon as it is let go.
    await harness.advance(harness.latenessMs)
    expect(await registry.has('a')).toBe(false)
  })

  it('aborts the signal of a running turn when its session is deleted', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')

    expect(await registry.delete('a')).toBe(true)
    expect(await registry.has('a')).toBe(false)
    await eventually(harness, () => expect(first.signal.aborted).toBe(true))
    first.finish()
    await first.run.settled
    expect(await registry.run('a', (session) => [...session.value])).toEqual([])
  })

  it('lets waiting turns open the id anew when the session is deleted', async () => {
    const registry = await make()
    await registry.set('a', ['old'])
    const first = await startTurn(registry, 'a')
    const second = observe(registry.run('a', (session) => [...session.value]))
    await registry.delete('a')
    first.finish()
    await second.settled

    expect(second.error).toBeUndefined()
    expect(second.value).toEqual([])
    expect(await registry.has('a')).toBe(true)
  })
}
