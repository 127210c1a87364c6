import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const failed = sessionError('ERR_SESSION_STORE_FAILED')

async function stored(...ids: string[]) {
  const all = storedRegistry({ archiveAttempts: 3 })
  for (const id of ids) await say(all.registry, id, 'one')
  all.store.take()
  all.events.take()
  return all
}

describe('`delete` with a store', () => {
  it('ends the session at once, and deletes it from the store', async () => {
    const { registry, store, events } = await stored('ada')

    expect(registry.delete('ada')).toBe(true)
    expect(registry.has('ada')).toBe(false)
    expect(events.take()).toEqual(['ended ada deleted'])
    await registry.settled()
    expect(store.take()).toEqual(['delete ada'])
    expect(store.size).toBe(0)
  })

  it('deletes what is not in memory', async () => {
    const { store, clock } = await stored('ada')
    const { registry } = registryOn(store, clock)

    expect(registry.delete('ada')).toBe(false)
    await registry.settled()
    expect(store.size).toBe(0)
  })

  it('deletes whatever is stored, also what was written elsewhere', async () => {
    const { registry, store } = await stored('ada')
    store.writeElsewhere({ value: ['elsewhere'] })
    registry.delete('ada')
    await registry.settled()

    expect(store.size).toBe(0)
  })

  it('an expired session: ends as deleted, is counted, and is not written', async () => {
    const { registry, store, events, clock } = storedRegistry({ timeoutMs: 1_000 })
    registry.set('ada', ['one'])
    clock.advance(1_000)

    expect(registry.delete('ada')).toBe(true)
    expect(events.take()).toEqual(['created ada', 'ended ada deleted'])
    expect(registry.stats().deleted).toBe(1)
    await registry.settled()
    expect(store.take()).toEqual(['delete ada'])
  })

  it('during a read: what was read is dropped, and those who wait open anew', async () => {
    const { store, clock } = await stored('ada')
    const { registry } = registryOn(store, clock)
    const get = store.gateNext('get')
    const opened = observe(registry.open('ada'))
    await get.begun

    expect(registry.delete('ada')).toBe(true)
    await settle()
    expect(opened.state).toBe('pending')
    get.end.resolve()
    await opened.settled
    expect(opened.value).toEqual([])
    expect(store.take()).toEqual(['get ada', 'delete ada', 'get ada'])
  })

  it('during the write of its end: the write is aborted, and the deletion waits until it has settled', async () => {
    const { registry, store, clock, events } = storedRegistry({ timeoutMs: 1_000 })
    registry.set('ada', ['one'])
    const put = store.gateNext('put')
    clock.advance(1_000)
    registry.sweep()
    await put.begun

    expect(registry.delete('ada')).toBe(true)
    await settle()
    expect(put.signal?.aborted).toBe(true)
    expect(events.take()).toEqual(['created ada', 'ended ada deleted'])
    expect(store.take()).toEqual(['put ada'])
    put.end.resolve()
    await registry.settled()
    expect(store.take()).toEqual(['delete ada'])
    expect(store.size).toBe(0)
  })

  it('`open` and `run` of the id wait for it, and find nothing', async () => {
    const { registry, store } = await stored('ada')
    const deletion = store.gateNext('delete')
    registry.delete('ada')
    await deletion.begun
    const opened = observe(registry.open('ada', { create: false }))
    const run = observe(say(registry, 'ada', 'new'))
    await settle()
    expect([opened.state, run.state]).toEqual(['pending', 'pending'])
    deletion.end.resolve()
    await Promise.all([opened.settled, run.settled])

    expect(store.value('ada')).toEqual(['new'])
  })

  it('a session that was set again meanwhile is written after the deletion', async () => {
    const { registry, store } = await stored('ada')
    const deletion = store.gateNext('delete')
    registry.delete('ada')
    await deletion.begun
    registry.set('ada', ['new'])
    const saved = observe(registry.save('ada'))
    await settle()
    expect(saved.state).toBe('pending')
    deletion.end.resolve()
    await saved.settled

    expect(store.take()).toEqual(['delete ada', 'put ada'])
    expect(store.value('ada')).toEqual(['new'])
  })

  it('twice: one deletion at a time, and the newer session is gone too', async () => {
    const { registry, store } = await stored('ada')
    const deletion = store.gateNext('delete')
    registry.delete('ada')
    await deletion.begun
    registry.set('ada', ['new'])
    expect(registry.delete('ada')).toBe(true)
    deletion.end.resolve()
    await registry.settled()

    expect(store.size).toBe(0)
    expect(await registry.open('ada', { create: false })).toBe(undefined)
  })
})

describe('a deletion that fails', () => {
  it('is repeated until it succeeds, with one `error` after `archiveAttempts`', async () => {
    const { registry, store, errors, clock } = await stored('ada')
    store.failNext('delete', 7)
    registry.delete('ada')
    await settle()
    while (errors.length === 0) await clock.advanceAsync(10)
    expect(store.take()).toEqual(['delete ada', 'delete ada', 'delete ada'])
    expect(errors).toEqual([failed])
    expect(errors[0]).toMatchObject({ cause: store.failure })
    await clock.advanceAsync(120_000)

    expect(store.take()).toHaveLength(5)
    expect(store.size).toBe(0)
    expect(errors).toHaveLength(1)
    await clock.advanceAsync(120_000)
    expect(store.take()).toEqual([])
  })

  it('has pauses that grow, at most 30 s', async () => {
    const { registry, store, clock } = await stored('ada')
    store.failNext('delete', 20)
    registry.delete('ada')
    const at: number[] = []
    while (at.length < 15) {
      await clock.advanceAsync(50)
      for (const _ of store.take()) at.push(clock.now())
    }
    const pauses = at.slice(1).map((now, index) => now - (at[index] ?? 0))

    expect(pauses[0]).toBeLessThan(300)
    expect(Math.max(...pauses)).toBeGreaterThan(10_000)
    expect(Math.max(...pauses)).toBeLessThan(46_000)
  })

  it('keeps the old state from coming back: `open` waits, and shortens the pause', async () => {
    const { registry, store, clock } = await stored('ada')
    store.failNext('delete', 10)
    registry.delete('ada')
    await clock.advanceAsync(5_000)
    const opened = observe(registry.open('ada'))
    await settle()
    expect(opened.state).toBe('pending')
    await clock.advanceAsync(2_000)

    expect(opened.value).toEqual([])
    expect(store.take()).not.toContain('put ada')
  })

  it('after its effect: nothing is left, and it is repeated', async () => {
    const { registry, store, clock } = await stored('ada')
    store.failAfterEffect('delete')
    registry.delete('ada')
    await clock.advanceAsync(1_000)

    expect(store.take()).toEqual(['delete ada', 'delete ada'])
    expect(store.size).toBe(0)
  })

  it('a save that waits for it fails with it, and the session lives on', async () => {
    const { registry, store, clock } = await stored('ada')
    store.failNext('delete', 3)
    registry.delete('ada')
    registry.set('ada', ['new'])
    const saved = observe(registry.save('ada'))
    await clock.advanceAsync(1_500)

    expect(saved.state).toBe('fulfilled')
    expect(store.value('ada')).toEqual(['new'])
  })

  it('hangs: each try has `archiveTimeoutMs`, and the next waits until it has settled', async () => {
    const { registry, store, clock } = storedRegistry({ archiveTimeoutMs: 1_000 })
    await say(registry, 'ada', 'one')
    store.take()
    const hung = store.gateNext('delete')
    registry.delete('ada')
    await hung.begun
    await clock.advanceAsync(1_000)
    expect(hung.signal?.aborted).toBe(true)
    await clock.advanceAsync(30_000)
    expect(store.take()).toEqual(['delete ada'])
    hung.end.reject(store.failure)
    await clock.advanceAsync(60_000)

    expect(store.take()).toEqual(['delete ada'])
    expect(store.size).toBe(0)
  })
})

describe('`clear` with a store', () => {
  it('ends what is in memory and deletes that from the store, nothing else', async () => {
    const { store, clock } = await stored('elsewhere')
    const { registry, events } = registryOn(store, clock)
    await say(registry, 'ada', 'one')
    registry.set('bob', ['unsaved'])

    expect(registry.clear()).toBe(2)
    await registry.settled()
    expect(events.take()).toEqual(['created ada', 'created bob', 'ended ada deleted', 'ended bob deleted'])
    expect(store.value('ada')).toBe(undefined)
    expect(store.value('elsewhere')).toEqual(['one'])
  })

  it('reaches what is being read or written', async () => {
    const { store, clock } = await stored('read')
    const { registry } = registryOn(store, clock, { timeoutMs: 1_000 })
    const get = store.gateNext('get')
    const opened = observe(registry.open('read', { create: false }))
    await get.begun
    registry.set('written', ['one'])
    const put = store.gateNext('put')
    clock.advance(1_000)
    registry.sweep()
    await put.begun

    expect(registry.clear()).toBe(2)
    get.end.resolve()
    put.end.resolve()
    await registry.settled()
    await opened.settled
    expect(opened.value).toBe(undefined)
    expect(store.size).toBe(0)
  })

  it('runs at most `archiveConcurrency` deletions at once', async () => {
    const { registry, store } = storedRegistry({ archiveConcurrency: 2 })
    for (const id of ['a', 'b', 'c', 'd']) registry.set(id, [])
    const gates = [store.gateNext('delete'), store.gateNext('delete')]
    registry.clear()
    await settle()
    expect(store.take()).toEqual(['delete a', 'delete b'])
    gates[0]?.end.resolve()
    await settle()

    expect(store.take()).toEqual(['delete c', 'delete d'])
    gates[1]?.end.resolve()
    await registry.settled()
  })
})
