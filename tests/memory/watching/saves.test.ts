import { describe, expect, it } from 'vitest'
import { ChannelRecorder } from '../../support/channel-recorder.ts'
import { deferred } from '../../support/deferred.ts'
import { settle } from '../../support/settle.ts'
import { say, storedRegistry } from '../../support/stored-registry.ts'

const save = (...parts: string[]) => parts.map((part) => `save:${part}`)
const saved = save('start', 'end', 'asyncStart', 'asyncEnd')
const failed = save('start', 'end', 'error', 'asyncStart', 'asyncEnd')

describe('the traces of saves', () => {
  it('after a turn: the last part of the turn', async () => {
    const recorder = new ChannelRecorder('watched', ['turn', 'save'])
    const { registry } = storedRegistry({ name: 'watched' })
    await say(registry, 'ada', 'hello')

    expect(recorder.names).toEqual(['turn:start', 'turn:end', ...saved, 'turn:asyncStart', 'turn:asyncEnd'])
    const incarnation = registry.peek('ada')?.incarnation
    expect(recorder.of('save:asyncEnd')).toEqual([
      { registry: 'watched', ref: registry.ref('ada'), incarnation, attempt: 1 },
    ])
  })

  it('a turn that has changed nothing: none', async () => {
    const { registry } = storedRegistry({ name: 'watched' })
    await say(registry, 'ada', 'hello')
    const recorder = new ChannelRecorder('watched', ['turn', 'save'])
    await registry.run('ada', () => {})

    expect(recorder.names.filter((name) => name.startsWith('save'))).toEqual([])
  })

  it('a save that is tried again: one trace for each attempt', async () => {
    const recorder = new ChannelRecorder('watched', ['turn', 'save'])
    const { registry, store, clock } = storedRegistry({ name: 'watched' })
    store.failNext('put')
    const run = say(registry, 'ada', 'hello')
    await settle()
    expect(recorder.names).toEqual(['turn:start', 'turn:end', ...failed])
    await clock.advanceAsync(250)
    await run

    expect(recorder.names.slice(7)).toEqual([...saved, 'turn:asyncStart', 'turn:asyncEnd'])
    expect(recorder.of('save:asyncEnd')).toEqual([
      expect.objectContaining({ attempt: 1, error: store.failure }),
      expect.not.objectContaining({ error: expect.anything() }),
    ])
    expect(recorder.of('save:asyncEnd')[1]?.attempt).toBe(2)
  })

  it('that fails for good: the turn fails with the error of its run', async () => {
    const recorder = new ChannelRecorder('watched', ['turn', 'save'])
    const { registry, store, clock } = storedRegistry({ name: 'watched' })
    store.failNext('put', 3)
    const run = expect(say(registry, 'ada', 'hello')).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE_FAILED',
    })
    await clock.advanceAsync(2_000)
    await run

    expect(recorder.of('save:error')).toHaveLength(3)
    expect(recorder.of('turn:error')[0]?.error).toMatchObject({ code: 'ERR_SESSION_STORE_FAILED' })
  })

  it('the next turn: begins after the one before has been published', async () => {
    const recorder = new ChannelRecorder('watched', ['turn'])
    const { registry } = storedRegistry({ name: 'watched' })
    await Promise.all([say(registry, 'ada', 'one'), say(registry, 'ada', 'two')])

    const turn = ['turn:start', 'turn:end', 'turn:asyncStart', 'turn:asyncEnd']
    expect(recorder.names).toEqual([...turn, ...turn])
  })

  it('`save(id)`: one trace; the write at the end is an archive', async () => {
    const { registry, store, clock } = storedRegistry({ name: 'watched', timeoutMs: 1_000 })
    const recorder = new ChannelRecorder('watched', ['save', 'archive'])
    registry.set('ada', ['hello'])
    await registry.save('ada')
    expect(recorder.names).toEqual(saved)
    registry.get('ada')?.push('unsaved')
    await clock.advanceAsync(1_000)
    registry.sweep()
    await settle()

    expect(recorder.names.slice(4)).toEqual([
      'archive:start',
      'archive:end',
      'archive:asyncStart',
      'archive:asyncEnd',
    ])
    expect(store.value('ada')).toEqual(['hello', 'unsaved'])
  })

  it('of a session that is deleted meanwhile: fails, and so does its turn', async () => {
    const recorder = new ChannelRecorder('watched', ['turn', 'save'])
    const { registry, store } = storedRegistry({ name: 'watched' })
    const put = store.gateNext('put')
    const run = expect(say(registry, 'ada', 'hello')).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
    await put.begun
    registry.delete('ada')
    await run

    expect(recorder.names).toEqual([
      'turn:start',
      'turn:end',
      ...failed,
      'turn:error',
      'turn:asyncStart',
      'turn:asyncEnd',
    ])
    put.end.resolve()
    await registry.settled()
  })

  it('a read of the store: a load', async () => {
    const { registry, store, clock } = storedRegistry({ name: 'watched', timeoutMs: 1_000 })
    await say(registry, 'ada', 'hello')
    await clock.advanceAsync(1_000)
    registry.sweep()
    await settle()
    const recorder = new ChannelRecorder('watched', ['load', 'created'])
    await registry.open('ada')
    expect(recorder.names).toEqual(['load:start', 'load:end', 'load:asyncStart', 'load:asyncEnd', 'created'])
    expect(recorder.of('created')[0]?.loaded).toBe(true)

    store.failNext('get')
    await expect(registry.open('ben')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_FAILED' })
    expect(recorder.of('load:error')[0]?.error).toMatchObject({ code: 'ERR_SESSION_STORE_FAILED' })
  })
})

describe('the traces of turns whose session ends', () => {
  it('without a store: the turn settles as its function does', async () => {
    const recorder = new ChannelRecorder('watched', ['turn', 'ended'])
    const { clock, registry } = storedRegistry({ name: 'watched', save: 'end' })
    const blocked = deferred<void>()
    const run = registry.run('ada', () => blocked.promise)
    await settle()
    registry.delete('ada')
    expect(recorder.names).toEqual(['turn:start', 'turn:end', 'ended'])
    blocked.resolve()
    await expect(run).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
    await clock.advanceAsync(0)

    expect(recorder.names.slice(3)).toEqual(['turn:error', 'turn:asyncStart', 'turn:asyncEnd'])
  })
})
