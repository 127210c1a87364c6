import type { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { deferred } from '../support/deferred.ts'
import { inspectorOf, pageUrl } from '../support/inspector-requests.ts'
import { settle } from '../support/settle.ts'

describe('the snapshot', () => {
  it('sessions that are idle: the idle longest first, with their refs', async () => {
    const { registry, clock } = clockedRegistry({ name: 'chats', timeoutMs: 5_000, intervalMs: 100_000 })
    registry.set('ada', [])
    clock.advance(4_000)
    registry.set('ben', [])
    clock.advance(1_000)
    const { name, idle, busy, stats, health, isShared } = await inspectorOf(registry).first()

    expect({ name, isShared, health }).toEqual({
      name: 'chats',
      isShared: false,
      health: { live: true, ready: true },
    })
    expect(idle).toEqual([
      { ref: registry.ref('ada'), state: 'expired', ageMs: 5_000, idleMs: 5_000, waiting: 0, holds: 0 },
      { ref: registry.ref('ben'), state: 'active', ageMs: 1_000, idleMs: 1_000, waiting: 0, holds: 0 },
    ])
    expect(busy).toEqual([])
    expect(stats).toMatchObject({ size: 2, held: 0, created: 2 })
  })

  it('sessions in use: what runs, who waits and what holds, those in use for longest first', async () => {
    const { registry, clock } = clockedRegistry()
    const turn = deferred<void>()
    registry.set('held', [])
    registry.hold('held')
    clock.advance(10)
    registry.hold('held')
    clock.advance(100)
    const runs = ['ada', 'ada', 'ada'].map((id) => registry.run(id, () => turn.promise, { whenBusy: 'wait' }))
    await settle()
    clock.advance(50)
    const { busy } = await inspectorOf(registry).first()

    expect(busy.map(({ ref, ageMs, ...rest }) => rest)).toEqual([
      { state: 'held', idleMs: 0, waiting: 0, holds: 2, heldMs: 160 },
      { state: 'held', idleMs: 0, waiting: 2, holds: 0, running: { sinceMs: 50, whenBusy: 'wait' } },
    ])
    turn.resolve()
    await Promise.all(runs)
  })

  it('ends: the newest first with the reason, and how many of each since the inspector was made', async () => {
    const { registry, clock } = clockedRegistry({ name: 'counted', timeoutMs: 1_000, intervalMs: 1_000 })
    registry.set('before', [])
    registry.delete('before')
    const { first } = inspectorOf(registry)
    registry.set('ada', [])
    registry.set('ben', [])
    registry.delete('ada')
    clock.advance(2_000)
    const { endsByReason, lastEnds } = await first()

    expect(endsByReason).toEqual({ deleted: 1, idle: 1 })
    expect(lastEnds).toEqual([
      { ref: registry.ref('ben'), reason: 'idle', idleMs: 1_000, ageMs: 1_000, agoMs: expect.any(Number) },
      { ref: registry.ref('ada'), reason: 'deleted', idleMs: 0, ageMs: 0, agoMs: expect.any(Number) },
    ])
  })

  it('keeps the last 50 ends, and counts all', async () => {
    const { registry } = clockedRegistry({ name: 'many ends' })
    const { first } = inspectorOf(registry)
    for (let n = 0; n < 120; n += 1) registry.set(`a${n}`, []).delete(`a${n}`)
    const { endsByReason, lastEnds } = await first()

    expect(endsByReason).toEqual({ deleted: 120 })
    expect(lastEnds.map(({ ref }) => ref)).toEqual(
      Array.from({ length: 50 }, (_, n) => registry.ref(`a${119 - n}`)),
    )
  })

  it('sessions that are being created: how many wait for each, and for how long', async () => {
    const made = deferred<string[]>()
    const { registry, clock } = clockedRegistry({ create: () => made.promise })
    const opened = [registry.open('ada'), registry.open('ada'), registry.open('ben')]
    clock.advance(3_000)
    const { busy } = await inspectorOf(registry).first()

    expect(busy.map(({ ref, state, waiting, ageMs }) => [ref, state, waiting, ageMs])).toEqual([
      [registry.ref('ada'), 'creating', 2, 3_000],
      [registry.ref('ben'), 'creating', 1, 3_000],
    ])
    made.resolve([])
    await Promise.all(opened)
  })

  it('an error without a code, with one that is a text, or that throws when it is read: no text of it', async () => {
    const { registry } = clockedRegistry({ name: 'odd errors' })
    registry.on('error', () => {})
    const { first } = inspectorOf(registry)
    const hostile = new Proxy(new Error('secret'), {
      get() {
        throw new Error('secret')
      },
    })
    const errors: unknown[] = [
      new Error('secret'),
      Object.assign(new Error(), { code: 'my secret' }),
      'secret',
      null,
      hostile,
    ]
    for (const error of errors) {
      registry.once('created', () => {
        throw error
      })
      registry.set('ada', []).delete('ada')
    }
    const { lastFailures } = await first()

    expect(lastFailures.map(({ code, event }) => [code, event])).toEqual(
      errors.map(() => ['no code', 'created']),
    )
  })

  it('shows no id, no owner and no value', async () => {
    const { registry } = clockedRegistry({ name: 'discreet' })
    const { handler } = inspectorOf(registry, { endSessions: true })
    registry.set('the-id', ['the-value'], { owner: 'the-owner' })
    registry.set('other-id', ['the-value'], { owner: 'the-owner' })
    registry.hold('the-id')
    registry.delete('other-id')
    for (const query of ['', '?snapshot']) {
      const text = await (await handler(new Request(pageUrl + query))).text()
      expect(text.length).toBeGreaterThan(100)
      expect(text).not.toMatch(/the-id|other-id|the-owner|the-value/)
    }
  })

  it('several registries: each has its own ends, and another one is not counted', async () => {
    const { registry: chats } = clockedRegistry({ name: 'chats of two' })
    const { registry: pages } = clockedRegistry({ name: 'pages of two' })
    const { registry: other } = clockedRegistry({ name: 'another' })
    const { snapshot } = inspectorOf([chats, pages])
    for (const registry of [chats, chats, pages, other]) registry.set('ada', []).delete('ada')
    const { registries } = await snapshot()

    expect(registries.map(({ name, endsByReason }) => [name, endsByReason])).toEqual([
      ['chats of two', { deleted: 2 }],
      ['pages of two', { deleted: 1 }],
    ])
  })

  it('two registries of one name: each has its own ends', async () => {
    const [one, two] = [clockedRegistry().registry, clockedRegistry().registry]
    const { snapshot } = inspectorOf([one, two])
    one.set('ada', []).delete('ada')
    const { registries } = await snapshot()

    expect(registries.map(({ endsByReason }) => endsByReason)).toEqual([{ deleted: 1 }, {}])
  })

  it('is no activity, and changes nothing', async () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 100_000 })
    registry.set('ada', [])
    clock.advance(1_000)
    const before = registry.stats()
    events.take()
    await inspectorOf(registry).snapshot()

    expect(registry.stats()).toEqual(before)
    expect(events.take()).toEqual([])
  })

  it('a registry that is closed: says so, and shows its figures', async () => {
    const { registry } = clockedRegistry()
    registry.set('ada', [])
    const { first } = inspectorOf(registry)
    await registry.close()

    expect(await first()).toMatchObject({
      health: { ready: false, why: 'closing' },
      stats: { size: 0 },
      idle: [],
    })
  })

  it('a registry whose reads fail: shows what is left, with the problem', async () => {
    const fail = () => {
      throw Object.assign(new Error('secret'), { code: 'ECLOCK' })
    }
    const { registry } = clockedRegistry()
    const failing = { ...pick(registry), stats: fail, health: fail, inspect: fail }
    const { snapshot } = inspectorOf([failing, { ...pick(registry), inspect: fail }, registry])
    const { registries } = await snapshot()

    expect(registries.map(({ problem, health, stats }) => [problem, health?.ready, stats?.size])).toEqual([
      ['ECLOCK', undefined, undefined],
      ['ECLOCK', true, 0],
      [undefined, true, 0],
    ])
  })
})

/** The members of a registry that an inspector reads, as an object that is none. */
function pick(registry: SessionRegistry<string[]>) {
  return {
    stats: () => registry.stats(),
    health: () => registry.health(),
    inspect: () => registry.inspect(),
    keys: () => registry.keys(),
    ref: (id: string) => registry.ref(id),
    delete: (id: string) => registry.delete(id),
  }
}
