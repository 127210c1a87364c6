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

  it('run: returns the turn’s result, and keeps its changes', async () => {
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

  it('run: keeps a value that the turn assigned', async () => {
    const registry = await make()
    await registry.run('a', (session) => {
      session.value = ['assigned']
    })

    expect(await registry.get('a')).toEqual(['assigned'])
  })

  it('run: rejects with the very error of the turn, and the session lives on', async () => {
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

  it('order: turns of one session run one at a time, first come first served', async () => {
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

  it('order: turns of different sessions run concurrently', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')

    expect(await registry.run('b', () => 'beside')).toBe('beside')
    expect(first.run.state).toBe('pending')
    first.finish()
    await first.run.settled
  })

  it('order: a turn sees the changes of the previous one', async () => {
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

  it('reads inside a turn: see its value', async () => {
    const registry = await make()
    await registry.run('a', async (session) => {
      session.value.push('inside')
      expect(await registry.get('a')).toEqual(['inside'])
      expect(await registry.open('a')).toEqual(['inside'])
      expect((await registry.peek('a'))?.held).toBe(true)
    })
  })

  it('nested run: joins its turn at once', async () => {
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

  it('nested run: joins its turn ahead of waiting turns', async () => {
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

  it('queued turn: runs in the async context of its own caller', async () => {
    const registry = await make()
    const requests = new AsyncLocalStorage<string>()
    const first = await requests.run('first', () => startTurn(registry, 'a'))
    const queued = requests.run('second', () => registry.run('a', () => requests.getStore()))
    first.finish()

    expect(await queued).toBe('second')
  })

  it('current: returns the turn, across `await`, nested, concurrent and in streams', async () => {
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

  it('create false: the turn is not called if there is no session', async () => {
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

  it('create false: loads the session', async () => {
    const registry = await make({ load: async () => ['loaded'] })

    expect(await registry.run('a', (session) => session.value, { create: false })).toEqual(['loaded'])
  })

  it('maxTurnMs: ends a turn that takes too long, whose later changes have no effect', async () => {
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

  it('running turn: keeps its session from ending', async () => {
    const registry = await make({ timeoutMs: 4 * unitMs, maxAgeMs: 6 * unitMs })
    const first = await startTurn(registry, 'a')
    await harness.advance(8 * unitMs)
    await registry.sweep()
    expect((await registry.peek('a'))?.held).toBe(true)
    first.finish()
    await first.run.settled

    expect(first.run.value).toBe('first')
    // It passed its maximum age meanwhile, so it expires as soon as it is released.
    await harness.advance(harness.latenessMs)
    expect(await registry.has('a')).toBe(false)
  })

  it('delete: aborts the signal of the running turn', async () => {
    const registry = await make()
    const first = await startTurn(registry, 'a')

    expect(await registry.delete('a')).toBe(true)
    expect(await registry.has('a')).toBe(false)
    await eventually(harness, () => expect(first.signal.aborted).toBe(true))
    first.finish()
    await first.run.settled
    expect(await registry.run('a', (session) => [...session.value])).toEqual([])
  })

  it('delete: waiting turns open the id anew', async () => {
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
