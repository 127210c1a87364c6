import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { say, storedRegistry } from '../../support/stored-registry.ts'

const full = sessionError('ERR_SESSION_REGISTRY_FULL')

describe('the cap with a store', () => {
  it('an eviction loses nothing: the session comes back with its next `open`', async () => {
    const { registry, events } = storedRegistry({ maxSessions: 1 })
    for (const round of ['one', 'two', 'three']) {
      for (const id of ['ada', 'bob']) await say(registry, id, round)
    }

    expect(await registry.open('ada')).toEqual(['one', 'two', 'three'])
    expect(await registry.open('bob')).toEqual(['one', 'two', 'three'])
    expect(events.take().slice(0, 4)).toEqual([
      'created ada',
      'ended ada capacity',
      'created bob',
      'ended bob capacity',
    ])
  })

  it('`open` waits until the victim is written', async () => {
    const { registry, store, events } = storedRegistry({ maxSessions: 1 })
    registry.set('ada', ['unsaved'])
    const put = store.gateNext('put')
    const opened = observe(registry.open('bob'))
    await put.begun
    await settle()
    expect(opened.state).toBe('pending')
    expect(registry.size).toBe(0)
    expect(registry.stats().archiving).toBe(1)
    put.end.resolve()
    await opened.settled

    expect(store.value('ada')).toEqual(['unsaved'])
    expect(events.take()).toEqual(['created ada', 'ended ada capacity', 'created bob'])
  })

  it('a synchronous creation starts the write and is refused; then there is room', async () => {
    const { registry, store } = storedRegistry({ maxSessions: 1 })
    registry.set('ada', ['unsaved'])

    expect(() => registry.set('bob', [])).toThrow(full)
    await settle()
    registry.set('bob', [])
    expect(store.value('ada')).toEqual(['unsaved'])
  })

  it('while the store is away nothing is evicted: new sessions are refused, old ones stay', async () => {
    const { registry, store, clock, events } = storedRegistry({ maxSessions: 1, archiveAttempts: 2 })
    registry.set('ada', ['unsaved'])
    store.failNext('put', 2)
    const opened = observe(registry.open('bob'))
    await clock.advanceAsync(1_000)

    expect(opened.error).toEqual(full)
    expect(registry.get('ada')).toEqual(['unsaved'])
    expect(events.take()).toEqual(['created ada'])
  })

  it('a victim that was changed elsewhere ends as replaced, and makes room all the same', async () => {
    const { registry, store, events, errors } = storedRegistry({ maxSessions: 1 })
    await say(registry, 'ada', 'one')
    registry.get('ada')?.push('unsaved')
    store.writeElsewhere({ value: ['elsewhere'] })
    await registry.open('bob')

    expect(events.take()).toEqual(['created ada', 'ended ada replaced', 'created bob'])
    expect(errors).toEqual([sessionError('ERR_SESSION_STORE_CONFLICT')])
    expect(await registry.open('ada')).toEqual(['elsewhere'])
  })

  it('a session whose turn is being saved is held, and not evicted', async () => {
    const { registry, store } = storedRegistry({ maxSessions: 1 })
    const put = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'one'))
    await put.begun

    await expect(registry.open('bob')).rejects.toEqual(full)
    put.end.resolve()
    await run.settled
    expect(await registry.open('bob')).toEqual([])
  })

  it('one that was opened while it was written reads what was written', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: 1_000 })
    registry.set('ada', ['unsaved'])
    const put = store.gateNext('put')
    clock.advance(1_000)
    registry.sweep()
    await put.begun
    const opened = observe(registry.open('ada'))
    expect(() => registry.set('ada', [])).toThrow(sessionError('ERR_SESSION_NEEDS_OPEN'))
    expect(() => registry.getOrCreate('ada')).toThrow(sessionError('ERR_SESSION_NEEDS_OPEN'))
    await settle()
    expect(opened.state).toBe('pending')
    put.end.resolve()
    await opened.settled

    expect(opened.value).toEqual(['unsaved'])
    expect(store.take()).toEqual(['put ada', 'get ada'])
  })

  it('at most `archiveConcurrency` sessions are written at once', async () => {
    const { registry, store } = storedRegistry({ archiveConcurrency: 2 })
    for (const id of ['a', 'b', 'c', 'd']) registry.set(id, [id])
    const gates = [store.gateNext('put'), store.gateNext('put')]
    const report = observe(registry.close())
    await settle()
    expect(store.take()).toEqual(['put a', 'put b'])
    for (const { end } of gates) end.resolve()
    await report.settled

    expect(store.take()).toEqual(['put c', 'put d', 'close'])
    expect(report.value?.archived).toBe(4)
  })
})

describe('a call of a store that opens its own id', () => {
  it.each(['open', 'run', 'acquire', 'stream'] as const)('%s in a read: is refused', async (how) => {
    const { registry, store } = storedRegistry()
    const get = store.get.bind(store)
    let reentered: unknown
    store.get = async (id, context) => {
      const call = {
        open: () => registry.open(id),
        run: () => registry.run(id, () => {}),
        acquire: () => registry.acquire(id),
        stream: () =>
          registry
            .stream(id, async function* () {
              yield 1
            })
            .next(),
      }[how]
      reentered ??= await call().catch((error: unknown) => error)
      return get(id, context)
    }
    await registry.open('ada')

    expect(reentered).toEqual(sessionError('ERR_SESSION_REENTRANT'))
  })

  it('in the write of its end and in its deletion: is refused; another id is not', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: 1_000 })
    const refused: unknown[] = []
    const other: unknown[] = []
    const put = store.put.bind(store)
    const remove = store.delete.bind(store)
    const reenter = async (id: string) => {
      refused.push(await registry.open(id).catch((error: unknown) => error))
      other.push(await registry.open('other'))
    }
    store.put = async (session, context) => {
      await reenter(session.id)
      return put(session, context)
    }
    store.delete = async (id, context) => {
      await reenter(id)
      return remove(id, context)
    }
    registry.set('ada', ['one'])
    clock.advance(1_000)
    registry.sweep()
    await registry.settled()
    await registry.forget('ada')

    expect(refused).toEqual(Array(2).fill(sessionError('ERR_SESSION_REENTRANT')))
    expect(other).toEqual([[], []])
  })
})
