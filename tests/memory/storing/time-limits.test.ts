import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { FaultStore } from '../../support/fault-store.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { say, storedRegistry } from '../../support/stored-registry.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

describe('`archiveTimeoutMs` and a store', () => {
  it('a save: each of its tries has it', async () => {
    const { registry, store, clock } = storedRegistry({ archiveTimeoutMs: 1_000 })
    const hung = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'one'))
    await hung.begun
    await clock.advanceAsync(999)
    expect(hung.signal?.aborted).toBe(false)
    await clock.advanceAsync(1)
    expect(hung.signal?.aborted).toBe(true)
    // The second and the third try wait for the first call, which never settles: 250 and 750 ms of pauses.
    await clock.advanceAsync(250 + 1_000 + 750 + 999)
    expect(run.state).toBe('pending')
    await clock.advanceAsync(1)

    expect(run.error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(run.error).toMatchObject({
      cause: { message: expect.stringMatching(/archiveTimeoutMs. of 1000 ms/) },
    })
    expect(store.take()).toEqual(['get ada', 'put ada'])
    hung.end.resolve()
    await settle()
    // A call that waited for it in vain is not made later.
    expect(store.take()).toEqual([])
  })

  it('the write of an end: counts as a failed attempt, and the next one waits until it has settled', async () => {
    const { registry, store, clock, events } = storedRegistry({ timeoutMs: 500, archiveTimeoutMs: 1_000 })
    registry.set('ada', ['one'])
    const hung = store.gateNext('put')
    clock.advance(500)
    registry.sweep()
    await hung.begun
    const opened = observe(registry.open('ada'))
    await clock.advanceAsync(1_500)
    expect(hung.signal?.aborted).toBe(true)
    expect(store.take()).toEqual(['put ada'])
    expect(registry.stats().archiveFailures).toBe(1)
    expect(opened.state).toBe('pending')
    hung.end.reject(store.failure)
    await clock.advanceAsync(500)

    expect(store.take()).toEqual(['put ada', 'get ada'])
    expect(opened.value).toEqual(['one'])
    expect(events.take()).toEqual(['created ada', 'expired ada idle', 'ended ada idle', 'created ada'])
  })

  it('a save that is written late is known to be written: the next turn writes nothing', async () => {
    const { registry, store, clock } = storedRegistry({ archiveTimeoutMs: 1_000 })
    const hung = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'one'))
    await hung.begun
    await clock.advanceAsync(4_000)
    expect(run.error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    hung.end.resolve()
    await settle()
    store.take()
    await registry.run('ada', ({ value }) => value.length)

    expect(store.value('ada')).toEqual(['one'])
    expect(store.take()).toEqual([])
  })
})

describe('one call of an id at a time', () => {
  it('a deletion waits for a put whose signal has aborted', async () => {
    const { registry, store, clock } = storedRegistry({ archiveTimeoutMs: 1_000 })
    const hung = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'one'))
    await hung.begun
    await clock.advanceAsync(4_000)
    await run.settled
    const forgotten = observe(registry.forget('ada'))
    await settle()
    expect(store.take()).toEqual(['get ada', 'put ada'])
    expect(forgotten.state).toBe('pending')
    hung.end.resolve()
    await forgotten.settled

    expect(store.take()).toEqual(['delete ada'])
    expect(store.size).toBe(0)
  })

  it('a put waits for a read whose signal has aborted', async () => {
    const { registry, store, clock } = storedRegistry({ loadTimeoutMs: 1_000 })
    const hung = store.gateNext('get')
    const opened = observe(registry.open('ada'))
    await hung.begun
    await clock.advanceAsync(1_000)
    expect(opened.error).toEqual(sessionError('ERR_SESSION_LOAD_TIMEOUT'))
    registry.set('ada', ['one'])
    const saved = observe(registry.save('ada'))
    await settle()
    expect(store.take()).toEqual(['get ada'])
    hung.end.resolve()
    await saved.settled

    expect(store.take()).toEqual(['put ada'])
  })

  it('other ids do not wait', async () => {
    const { registry, store } = storedRegistry()
    const hung = store.gateNext('get')
    const opened = observe(registry.open('ada'))
    await hung.begun

    await say(registry, 'bob', 'one')
    expect(await registry.forget('bob')).toBe(true)
    expect(opened.state).toBe('pending')
    hung.end.resolve()
    await opened.settled
  })
})

describe('the process', () => {
  function tracked() {
    const clock = new TrackingClock()
    const store = new FaultStore()
    const registry = new SessionRegistry<string[]>({ clock, store, create: () => [] })
    registry.on('error', () => {})
    return { clock, store, registry }
  }

  it('stays alive while a save is tried, in its pauses too', async () => {
    const { clock, store, registry } = tracked()
    store.failNext('put')
    const run = observe(say(registry, 'ada', 'one'))
    await settle()
    expect(run.state).toBe('pending')
    expect(clock.refed).toBeGreaterThan(0)
    await clock.manual.advanceAsync(250)

    expect(run.state).toBe('fulfilled')
    expect(clock.refed).toBe(0)
  })

  it('does not stay alive for a deletion, unless a call waits for it', async () => {
    const { clock, store, registry } = tracked()
    store.failNext('delete', 3)
    registry.delete('ada')
    await settle()
    expect(clock.waiting.size).toBeGreaterThan(0)
    expect(clock.refed).toBe(0)
    const opened = observe(registry.open('ada'))
    await settle()
    expect(clock.refed).toBeGreaterThan(0)
    await clock.manual.advanceAsync(1_000)

    expect(opened.state).toBe('fulfilled')
    expect(clock.refed).toBe(0)
  })
})

describe('text that a database would change', () => {
  it.each(['\ud800', 'a\u0000b'])('%j: rejects the run, and nothing is written', async (text) => {
    const { store, clock } = storedRegistry()
    const codec = { encode: (value: { text: string }) => value.text, decode: (text: string) => ({ text }) }
    const registry = new SessionRegistry({ clock, store, codec, create: () => ({ text: '' }) })
    const run = registry.run('ada', ({ value }) => {
      value.text = text
    })

    await expect(run).rejects.toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
    expect(store.take()).toEqual(['get ada'])
  })

  it.each(['\ud800', 'a\u0000b', '__proto__', '😀'])('the id %j is kept as it is', async (id) => {
    const { registry, store } = storedRegistry()
    await say(registry, id, 'one')

    expect(store.session(id)?.id).toBe(id)
  })
})
