import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const full = sessionError('ERR_SESSION_QUEUE_FULL')

describe('`maxWaiting`', () => {
  it('refuses one turn more than may wait, and no other', async () => {
    const { registry } = clockedRegistry({ maxWaiting: 2 })
    const running = beginTurn(registry, 'a')
    const turn = vi.fn()
    const runs = [1, 2, 3].map(() => observe(registry.run('a', turn)))
    await settle()
    expect(runs.map(({ error }) => error)).toEqual([undefined, undefined, full])
    expect(registry.stats()).toMatchObject({ running: 1, waiting: 2 })
    running.end.resolve('done')
    await settle()

    expect(turn).toHaveBeenCalledTimes(2)
    expect(registry.stats()).toMatchObject({ running: 0, waiting: 0, held: 0 })
  })

  it('is 1 000 by default', async () => {
    const { registry } = clockedRegistry()
    beginTurn(registry, 'a')
    const runs = Array.from({ length: 1_001 }, () => observe(registry.run('a', () => {})))
    await settle()

    expect(runs.map(({ error }) => error).filter((error) => error !== undefined)).toEqual([full])
    expect(runs[1_000]?.error).toEqual(full)
  })

  it('0: a turn runs if none is running, and is refused otherwise', async () => {
    const { registry } = clockedRegistry({ maxWaiting: 0 })
    const running = beginTurn(registry, 'a')
    const refused = observe(registry.run('a', () => {}))
    await refused.settled
    expect(refused.error).toEqual(full)
    running.end.resolve('done')
    await running.run.settled

    expect(await registry.run('a', () => 'runs')).toBe('runs')
    expect(registry.stats().held).toBe(0)
  })

  it('infinity: refuses none', async () => {
    const { registry } = clockedRegistry({ maxWaiting: Number.POSITIVE_INFINITY })
    beginTurn(registry, 'a')
    const runs = Array.from({ length: 3_000 }, () => observe(registry.run('a', () => {})))
    await settle()

    expect(runs.every(({ state }) => state === 'pending')).toBe(true)
  })

  it('an interrupt that is refused aborts nothing', async () => {
    const { registry } = clockedRegistry({ maxWaiting: 0 })
    const running = beginTurn(registry, 'a')
    const refused = observe(registry.run('a', () => {}, { whenBusy: 'interrupt' }))
    await refused.settled

    expect(refused.error).toEqual(full)
    expect(running.signal.aborted).toBe(false)
  })

  it('does not count turns that join, nested or concurrent', async () => {
    const { registry } = clockedRegistry({ maxWaiting: 0 })
    const running = beginTurn(registry, 'a')

    expect(await registry.run('a', () => 'beside', { whenBusy: 'join' })).toBe('beside')
    expect(await registry.run('b', () => registry.run('b', () => 'nested'))).toBe('nested')
    running.end.resolve('done')
  })

  it('counts again when waiting turns are aborted', async () => {
    const { registry } = clockedRegistry({ maxWaiting: 1 })
    beginTurn(registry, 'a')
    const controller = new AbortController()
    const first = observe(registry.run('a', () => {}, { signal: controller.signal }))
    controller.abort()
    await first.settled
    const second = observe(registry.run('a', () => {}))
    await settle()

    expect(second.state).toBe('pending')
  })

  it('counts turns that wait for a load, all but the first', async () => {
    const loaded = deferred<string[]>()
    const { registry } = clockedRegistry({ maxWaiting: 1, load: () => loaded.promise })
    const runs = (['wait', 'join', 'wait', 'reject'] as const).map((whenBusy) =>
      observe(registry.run('a', () => whenBusy, { whenBusy })),
    )
    await settle()
    expect(runs.map(({ error }) => error)).toEqual([undefined, undefined, full, full])
    expect(registry.stats()).toMatchObject({ running: 0, waiting: 2 })
    loaded.resolve([])
    await settle()

    expect(runs.map(({ value }) => value)).toEqual(['wait', 'join', undefined, undefined])
    expect(registry.stats()).toMatchObject({ running: 0, waiting: 0, held: 0 })
  })

  it('0: the first turn may wait for a load', async () => {
    const loaded = deferred<string[]>()
    const { registry } = clockedRegistry({ maxWaiting: 0, load: () => loaded.promise })
    const first = observe(registry.run('a', () => 'first'))
    const second = observe(registry.run('a', () => 'second'))
    await settle()
    expect(second.error).toEqual(full)
    loaded.resolve([])
    await first.settled

    expect(first.value).toBe('first')
  })

  it('counts anew for the next load, after any outcome of the last one', async () => {
    const answers = [deferred<string[]>(), deferred<string[]>(), deferred<string[]>()]
    let calls = 0
    const { registry } = clockedRegistry({
      maxWaiting: 0,
      load: () => (answers[calls++] ?? deferred<string[]>()).promise,
    })
    const failed = observe(registry.run('a', () => {}))
    answers[0]?.reject(new Error('down'))
    await failed.settled
    const controller = new AbortController()
    const left = observe(registry.run('a', () => {}, { signal: controller.signal }))
    controller.abort()
    await left.settled
    const third = observe(registry.run('a', () => 'third'))
    answers[2]?.resolve([])
    await third.settled

    expect(third.value).toBe('third')
    expect(registry.stats().waiting).toBe(0)
  })

  it('refuses no turn that waited already, when its session ends and it opens the id anew', async () => {
    const { registry } = clockedRegistry({ maxWaiting: 3 })
    beginTurn(registry, 'a')
    const runs = [1, 2, 3].map((name) => registry.run('a', () => name))
    registry.delete('a')

    expect(await Promise.all(runs)).toEqual([1, 2, 3])
  })
})

describe('turns in `stats()`', () => {
  it('include running ones, nested and concurrent, and waiting ones', async () => {
    const { registry } = clockedRegistry()
    const requests = new AsyncLocalStorage()
    const gate = deferred()
    const outer = registry.run('a', () => registry.run('a', () => gate.promise))
    const beside = registry.run('a', () => gate.promise, { whenBusy: 'join' })
    const waiting = requests.run('another', () => registry.run('a', () => {}))
    expect(registry.stats()).toMatchObject({ running: 3, waiting: 1, held: 1 })
    gate.resolve()
    await Promise.all([outer, beside, waiting])

    expect(registry.stats()).toMatchObject({ running: 0, waiting: 0, held: 0, turns: 4 })
  })

  it('include neither released turns that timed out nor refused ones', async () => {
    const { registry, clock } = clockedRegistry({ maxTurnMs: 100, turnGraceMs: 0 })
    beginTurn(registry, 'a')
    await clock.advanceAsync(100)
    observe(registry.run('', () => {}))
    observe(registry.run('b', () => {}, { create: false }))
    await settle()

    expect(registry.stats()).toMatchObject({ running: 0, waiting: 0 })
  })
})
