import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const failed = sessionError('ERR_SESSION_STORE_FAILED')
const closed = sessionError('ERR_SESSION_REGISTRY_CLOSED')

describe('`close` with a store', () => {
  it('writes what is not yet written, then closes the store', async () => {
    const { registry, store, events } = storedRegistry()
    await say(registry, 'written', 'one')
    registry.set('ada', ['one'])
    registry.set('bob', ['two'])
    store.take()
    const report = await registry.close()

    expect(report).toEqual({ ended: 3, archived: 3, failed: [] })
    expect(store.take()).toEqual(['put ada', 'put bob', 'close'])
    expect(store.value('ada')).toEqual(['one'])
    expect(events.take().slice(3)).toEqual(['ended written closed', 'ended ada closed', 'ended bob closed'])
  })

  it('closes the store after the last write has settled', async () => {
    const { registry, store } = storedRegistry()
    registry.set('ada', ['one'])
    const put = store.gateNext('put')
    const report = observe(registry.close())
    await put.begun
    await settle()
    expect(store.take()).toEqual(['put ada'])
    put.end.resolve()
    await report.settled

    expect(store.take()).toEqual(['close'])
    expect(report.value).toEqual({ ended: 1, archived: 1, failed: [] })
  })

  it('an empty registry closes its store too', async () => {
    const { registry, store } = storedRegistry()

    expect(await registry.close()).toEqual({ ended: 0, archived: 0, failed: [] })
    expect(store.take()).toEqual(['close'])
  })

  it('a store without `close` is left alone', async () => {
    const { registry, store, errors } = storedRegistry()
    Object.assign(store, { close: undefined })
    registry.set('ada', ['one'])

    expect(await registry.close()).toMatchObject({ archived: 1 })
    expect(errors).toEqual([])
  })

  it('twice: the store is closed once', async () => {
    const { registry, store } = storedRegistry()
    await Promise.all([registry.close(), registry.close()])
    await registry.close()

    expect(store.take()).toEqual(['close'])
  })

  it('another registry may use the store afterwards', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    await registry.close()
    const next = registryOn(store, clock)

    expect(await next.registry.open('ada')).toEqual(['one'])
  })

  it('a running turn is waited for and saved; its run resolves', async () => {
    const { registry, store } = storedRegistry()
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    turn.session.value.push('one')
    const report = observe(registry.close())
    await settle()
    expect(report.state).toBe('pending')
    turn.end.resolve('done')
    await report.settled

    expect(turn.run.value).toBe('done')
    expect(report.value).toMatchObject({ archived: 1, failed: [] })
    expect(store.take()).toEqual(['get ada', 'put ada', 'close'])
  })

  it('a save that is under way at the deadline is written by the end of the session', async () => {
    const { registry, store, clock } = storedRegistry({ turnGraceMs: 100 })
    const put = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'one'))
    await put.begun
    const report = observe(registry.close({ deadlineMs: 1_000 }))
    await clock.advanceAsync(1_100)
    expect(run.error).toEqual(closed)
    expect(report.state).toBe('pending')
    put.end.resolve()
    await report.settled

    expect(report.value).toMatchObject({ ended: 1, archived: 1, failed: [] })
    expect(store.value('ada')).toEqual(['one'])
  })

  it('a read is aborted, and those who wait are rejected', async () => {
    const { registry, store } = storedRegistry()
    const get = store.gateNext('get')
    const opened = observe(registry.open('ada'))
    await get.begun
    await registry.close()

    expect(opened.error).toEqual(closed)
    expect(get.signal?.aborted).toBe(true)
    get.end.resolve()
  })

  it('an end by age during `close` deletes, and is not counted as archived', async () => {
    const { registry, store, clock } = storedRegistry({ maxAgeMs: 1_000 })
    await say(registry, 'ada', 'one')
    clock.advance(1_000)

    expect(await registry.close()).toEqual({ ended: 1, archived: 0, failed: [] })
    expect(store.size).toBe(0)
  })
})

describe('a write that fails while the registry closes', () => {
  it('is repeated until the deadline; then the session is in `failed`, its value untouched', async () => {
    const { registry, store, clock, events, errors } = storedRegistry({ archiveAttempts: 100 })
    registry.set('ada', ['one'])
    store.isBroken = true
    const session = registry.peek('ada')
    const report = observe(registry.close({ deadlineMs: 5_000 }))
    await clock.advanceAsync(4_999)
    expect(report.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(report.value).toEqual({ ended: 1, archived: 0, failed: [session] })
    expect(session?.value).toEqual(['one'])
    expect(events.take()).toEqual(['created ada', 'ended ada closed'])
    expect(errors).toEqual([])
    expect(store.take().filter((line) => line === 'put ada').length).toBeGreaterThan(3)
  })

  it('succeeds before the deadline: nothing has failed', async () => {
    const { registry, store, clock } = storedRegistry()
    registry.set('ada', ['one'])
    store.failNext('put', 2)
    const report = observe(registry.close())
    await clock.advanceAsync(3_000)

    expect(report.value).toEqual({ ended: 1, archived: 1, failed: [] })
    expect(store.value('ada')).toEqual(['one'])
  })
})

describe('a store that fails to close', () => {
  it('is an `error`; the report comes all the same', async () => {
    const { registry, store, errors } = storedRegistry()
    registry.set('ada', ['one'])
    store.failNext('close')

    expect(await registry.close()).toEqual({ ended: 1, archived: 1, failed: [] })
    expect(errors).toEqual([failed])
    expect(errors[0]).toMatchObject({ cause: store.failure })
    expect(registry.state).toBe('closed')
  })

  it('throws synchronously: the same', async () => {
    const { registry, store, errors } = storedRegistry()
    store.close = () => {
      throw store.failure
    }
    await registry.close()

    expect(errors).toEqual([failed])
  })

  it('hangs: the report comes after the deadline', async () => {
    const { registry, store, clock, errors } = storedRegistry()
    const hung = store.gateNext('close')
    const report = observe(registry.close({ deadlineMs: 1_000 }))
    await clock.advanceAsync(999)
    expect(report.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(report.value).toEqual({ ended: 0, archived: 0, failed: [] })
    expect(errors).toEqual([failed])
    hung.end.resolve()
  })
})

describe('deletions while the registry closes', () => {
  it('are waited for', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    const deletion = store.gateNext('delete')
    registry.delete('ada')
    const report = observe(registry.close())
    await deletion.begun
    await settle()
    expect(report.state).toBe('pending')
    deletion.end.resolve()
    await report.settled

    expect(store.take().slice(-2)).toEqual(['delete ada', 'close'])
    expect(store.size).toBe(0)
  })

  it('in the pause after a failure: are tried again soon', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.failNext('delete', 9)
    registry.delete('ada')
    await clock.advanceAsync(30_000)
    store.take()
    const report = observe(registry.close())
    await clock.advanceAsync(3_000)

    expect(report.state).toBe('fulfilled')
    expect(store.size).toBe(0)
  })

  it('left undone at the deadline: each is an `error`, and a `forget` that waits rejects', async () => {
    const { registry, store, clock, errors } = storedRegistry({ archiveAttempts: 1_000 })
    await say(registry, 'ada', 'one')
    await say(registry, 'bob', 'one')
    store.isBroken = true
    registry.delete('ada')
    const forgotten = observe(registry.forget('bob'))
    const report = observe(registry.close({ deadlineMs: 2_000 }))
    await clock.advanceAsync(2_000)
    await report.settled

    expect(report.value).toEqual({ ended: 0, archived: 0, failed: [] })
    expect(errors).toEqual([failed, failed])
    expect(errors[0]).toMatchObject({ cause: closed })
    expect(forgotten.error).toEqual(failed)
    const lines = store.take()
    await clock.advanceAsync(60_000)
    expect(store.take()).toEqual([])
    expect(lines.at(-1)).toBe('close')
  })

  it('of a session in use: `delete` and `forget` still work until the registry is closed', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    const turn = beginTurn(registry, 'ada')
    const report = observe(registry.close())
    const forgotten = observe(registry.forget('ada'))
    turn.end.resolve('done')
    await report.settled

    expect(forgotten.value).toBe(true)
    expect(store.size).toBe(0)
    expect(turn.run.error).toEqual(sessionError('ERR_SESSION_ENDED'))
  })

  it('after the close of the store began: refused, since nothing would carry them out', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    const closing = store.gateNext('close')
    const report = observe(registry.close())
    await closing.begun
    const forgotten = observe(registry.forget('ada'))
    await settle()
    closing.end.resolve()
    await report.settled
    await forgotten.settled

    expect(forgotten.error).toEqual(closed)
    expect(store.take().slice(-1)).toEqual(['close'])
  })

  it('on a closed registry: `delete` does nothing', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    await registry.close()
    store.take()

    expect(registry.delete('ada')).toBe(false)
    expect(registry.clear()).toBe(0)
    await registry.settled()
    expect(store.take()).toEqual([])
    expect(store.value('ada')).toEqual(['one'])
  })
})
