import { channel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import type { Session } from 'session-registry'
import { expect, it } from 'vitest'
import { ChannelRecorder, settledSteps } from '../support/channel-recorder.ts'
import { type ContractHarness, eventually } from './harness.ts'

export function describeWatchedEvents(harness: ContractHarness): void {
  const { unitMs, latenessMs } = harness

  it('created and ended: one message each, in order with the events', async () => {
    const seen: string[] = []
    const recorder = new ChannelRecorder('watched', ['created', 'ended'], (name) =>
      seen.push(`message ${name}`),
    )
    const registry = await harness.make({ name: 'watched', timeoutMs: 2 * unitMs, create: () => [] })
    let created: Session<string[]> | undefined
    registry.on('created', (session) => {
      created = session
      seen.push('event created')
    })
    registry.on('expired', () => seen.push('event expired'))
    registry.on('ended', () => seen.push('event ended'))
    await registry.getOrCreate('ada')
    const ref = await registry.run('ada', () => registry.current()?.ref)
    await harness.advance(2 * unitMs + latenessMs)
    await registry.sweep()

    await eventually(harness, () =>
      expect(seen).toEqual([
        'message created',
        'event created',
        'event expired',
        'message ended',
        'event ended',
      ]),
    )
    const about = { registry: 'watched', ref, incarnation: created?.incarnation }
    expect(recorder.of('created')).toEqual([about])
    const [ended] = recorder.of('ended')
    expect(ended).toEqual({
      ...about,
      reason: 'idle',
      idleMs: expect.any(Number),
      ageMs: expect.any(Number),
    })
    expect(ended?.idleMs).toBeGreaterThanOrEqual(2 * unitMs)
    expect(ended?.ageMs).toBeGreaterThanOrEqual(ended?.idleMs ?? Number.NaN)
  })

  it('without a listener: published all the same', async () => {
    const recorder = new ChannelRecorder('watched', ['created', 'ended'])
    const registry = await harness.make({ name: 'watched' })
    await registry.set('ada', [])
    await registry.replace('ada', [])
    await registry.delete('ada')

    await eventually(harness, () =>
      expect(recorder.publications.map(({ name, message }) => [name, message.reason])).toEqual([
        ['created', undefined],
        ['ended', 'replaced'],
        ['created', undefined],
        ['ended', 'deleted'],
      ]),
    )
    const [first, ended, second] = recorder.publications
    expect(first?.message.incarnation).toBe(ended?.message.incarnation)
    expect(second?.message.incarnation).not.toBe(ended?.message.incarnation)
  })

  it('a subscriber that comes or goes: gets what happens in between', async () => {
    const registry = await harness.make({ name: 'watched', create: () => [] })
    const published: unknown[] = []
    const subscriber = (message: unknown) => published.push((message as { registry: string }).registry)
    await registry.getOrCreate('before')
    channel('session-registry:created').subscribe(subscriber)
    await registry.getOrCreate('between')
    await eventually(harness, () => expect(published).toEqual(['watched']))
    channel('session-registry:created').unsubscribe(subscriber)
    await registry.getOrCreate('after')
    await harness.advance(unitMs)

    expect(published).toEqual(['watched'])
  })

  it('a loaded session: its message says so', async () => {
    const recorder = new ChannelRecorder('watched', ['created', 'load', 'create'])
    const registry = await harness.make({
      name: 'watched',
      create: () => [],
      load: async (id) => (id === 'stored' ? ['hello'] : undefined),
    })
    await registry.open('stored')

    expect(recorder.names).toEqual([...settledSteps('load'), 'created'])
    expect(recorder.of('created')).toEqual([expect.objectContaining({ loaded: true })])
    const [load] = recorder.of('load:start')
    expect(load).toEqual({ registry: 'watched', ref: recorder.of('created')[0]?.ref })
  })

  it('error: the very error, and the event whose listener failed', async () => {
    const recorder = new ChannelRecorder('watched', ['error'])
    const registry = await harness.make({ name: 'watched' })
    const failure = new Error('the listener is broken')
    registry.on('error', () => {})
    registry.on('created', () => {
      throw failure
    })
    await registry.set('ada', [])

    await eventually(harness, () =>
      expect(recorder.of('error')).toEqual([{ registry: 'watched', event: 'created', error: failure }]),
    )
    expect(recorder.of('error')[0]?.error).toBe(failure)
  })

  it('messages: none shows an id or a value', async () => {
    const everything = ['created', 'ended', 'error', 'turn', 'load', 'create', 'archive', 'save']
    const recorder = new ChannelRecorder('watched', everything)
    const registry = await harness.make({
      name: 'watched',
      timeoutMs: 2 * unitMs,
      maxTurnMs: 2 * unitMs,
      turnGraceMs: 0,
      create: () => ['the value'],
      load: async () => undefined,
      archive: async () => {},
    })
    registry.on('error', () => {})
    await registry.run('the id', ({ value }) => value.push('the value'))
    const late = expect(registry.run('the id', () => new Promise(() => {}))).rejects.toThrow()
    await eventually(harness, () => expect(recorder.names).toContain('turn:error'))
    await late
    await harness.advance(2 * unitMs + latenessMs)
    await registry.sweep()
    await eventually(harness, () => expect(recorder.names).toContain('ended'))

    for (const { name, message } of recorder.publications) {
      const shown = `${JSON.stringify(message)} ${inspect(message, { depth: 9 })}`
      expect(shown, name).not.toMatch(/the id|the value/)
    }
    for (const name of ['load:end', 'create:end', 'created', 'turn:asyncEnd', 'archive:asyncEnd'])
      expect(recorder.names).toContain(name)
  })
}
