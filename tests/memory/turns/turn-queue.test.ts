import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

describe('waiting turns', () => {
  it('keep their session from ending', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, maxTurnMs: 1_000, turnGraceMs: 0 })
    const first = beginTurn(registry, 'a')
    const second = observe(registry.run('a', (session) => session.value.push('second')))
    clock.advance(1_000)
    await second.settled

    expect(first.run.state).toBe('rejected')
    expect(second.value).toBe(1)
  })

  it('run in their callers’ async contexts', async () => {
    const { registry } = clockedRegistry()
    const requests = new AsyncLocalStorage<string>()
    const first = requests.run('first', () => beginTurn(registry, 'a'))
    const seen = ['second', 'third'].map((name) =>
      requests.run(name, () => registry.run('a', () => requests.getStore())),
    )
    requests.run('elsewhere', () => first.end.resolve('done'))

    expect(await Promise.all(seen)).toEqual(['second', 'third'])
  })

  it('run in their callers’ async contexts if another call loads their session', async () => {
    const loaded = deferred<string[]>()
    const { registry } = clockedRegistry({ load: () => loaded.promise })
    const requests = new AsyncLocalStorage<string>()
    const seen = (['wait', 'join', 'interrupt'] as const).map((whenBusy) =>
      requests.run(whenBusy, () => registry.run('a', () => requests.getStore(), { whenBusy })),
    )
    loaded.resolve([])

    expect(await Promise.all(seen)).toEqual(['wait', 'join', 'interrupt'])
  })

  it('continue when one of them is removed', async () => {
    const { registry } = clockedRegistry()
    const first = beginTurn(registry, 'a')
    const controller = new AbortController()
    const order: string[] = []
    const turn = (name: string) => () => order.push(name)
    const second = registry.run('a', turn('second'))
    const taken = observe(registry.run('a', turn('taken'), { signal: controller.signal }))
    const last = registry.run('a', turn('last'))
    controller.abort('changed my mind')
    await taken.settled
    expect(taken.error).toBe('changed my mind')
    first.end.resolve('done')
    await Promise.all([second, last])

    expect(order).toEqual(['second', 'last'])
  })

  it('listen to a signal no longer than necessary', async () => {
    const { registry } = clockedRegistry()
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    const first = beginTurn(registry, 'a', { signal })
    const second = registry.run('a', () => {}, { signal })
    expect(added).toHaveBeenCalledTimes(1)
    first.end.resolve('done')
    await second

    expect(removed).toHaveBeenCalledTimes(1)
  })

  it('run although the previous turn failed', async () => {
    const { registry } = clockedRegistry()
    const first = beginTurn(registry, 'a')
    const second = registry.run('a', () => 'second')
    first.end.reject(new Error('failed'))

    expect(await second).toBe('second')
  })
})

describe('`whenBusy`', () => {
  it('`reject`: rejects while a turn runs or waits, and not for a hold or a concurrent turn', async () => {
    const { registry } = clockedRegistry()
    registry.getOrCreate('a')
    const hold = registry.hold('a')
    const beside = beginTurn(registry, 'a', { whenBusy: 'join' })
    expect(await registry.run('a', () => 'runs', { whenBusy: 'reject' })).toBe('runs')
    const running = beginTurn(registry, 'a')
    const rejected = observe(registry.run('a', () => 'no', { whenBusy: 'reject' }))
    await rejected.settled

    expect(rejected.error).toEqual(sessionError('ERR_SESSION_BUSY'))
    for (const turn of [beside, running]) turn.end.resolve('done')
    hold?.release()
    await settle()
    expect(registry.stats().held).toBe(0)
  })

  it('`reject`: waits for a load', async () => {
    const loaded = deferred<string[]>()
    const { registry } = clockedRegistry({ load: () => loaded.promise })
    const run = registry.run('a', (session) => [...session.value], { whenBusy: 'reject' })
    loaded.resolve(['loaded'])

    expect(await run).toEqual(['loaded'])
  })

  it('`reject`: rejects if another turn already waits for the load', async () => {
    const loaded = deferred<string[]>()
    const { registry } = clockedRegistry({ load: () => loaded.promise })
    const first = registry.run('a', settle)
    const second = observe(registry.run('a', () => 'no', { whenBusy: 'reject' }))
    loaded.resolve([])
    await first

    expect(second.error).toEqual(sessionError('ERR_SESSION_BUSY'))
  })

  it('`interrupt`: aborts the signal, and waits for a turn that ignores it', async () => {
    const { registry, clock } = clockedRegistry({ maxTurnMs: 1_000, turnGraceMs: 0 })
    const deaf = beginTurn(registry, 'a')
    const next = observe(registry.run('a', () => 'next', { whenBusy: 'interrupt' }))
    expect(deaf.signal.reason).toEqual(sessionError('ERR_SESSION_TURN_INTERRUPTED'))
    await clock.advanceAsync(999)
    expect(next.state).toBe('pending')
    expect(deaf.run.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(deaf.run.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    expect(next.value).toBe('next')
  })

  it('`interrupt`: the interrupted turn decides its own result', async () => {
    const { registry } = clockedRegistry()
    const first = beginTurn(registry, 'a')
    const next = registry.run('a', () => 'next', { whenBusy: 'interrupt' })
    first.end.resolve('finished nevertheless')
    await next

    expect(first.run.value).toBe('finished nevertheless')
  })

  it('`interrupt`: begins at once if no turn is running', () => {
    const { registry } = clockedRegistry()
    registry.getOrCreate('a')
    registry.hold('a')

    expect(beginTurn(registry, 'a', { whenBusy: 'interrupt' }).signal.aborted).toBe(false)
  })

  it('`join`: excludes no other turn, and keeps the session from ending', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, maxTurnMs: 5_000 })
    const beside = beginTurn(registry, 'a', { whenBusy: 'join' })
    expect(await registry.run('a', () => 'exclusive')).toBe('exclusive')
    clock.advance(4_999)

    expect(beside.session.held).toBe(true)
    expect(registry.has('a')).toBe(true)
  })

  it('`join`: has its own limit', async () => {
    const { registry, clock } = clockedRegistry({ maxTurnMs: 1_000, turnGraceMs: 0 })
    const beside = beginTurn(registry, 'a', { whenBusy: 'join' })
    await clock.advanceAsync(1_000)

    expect(beside.run.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    expect(registry.stats().held).toBe(0)
  })
})
