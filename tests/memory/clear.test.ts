import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { expect, it } from 'vitest'
import { beginTurn } from '../support/begun-turn.ts'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { settle } from '../support/settle.ts'

it('clear: deletes live sessions, those with their own timeouts, and those in use', async () => {
  const { registry, clock, events } = clockedRegistry({ maxAgeMs: 1_000_000 })
  registry.set('plain', [])
  registry.set('own', [], { timeoutMs: 5_000 })
  registry.set('endless', [], { timeoutMs: Number.POSITIVE_INFINITY })
  registry.set('held', [])
  registry.hold('held')
  const turn = beginTurn(registry, 'running')
  const waiting = registry.run('running', (session) => session.value.push('after'))
  const session = registry.peek('plain')
  clock.advance(100)

  expect(registry.clear()).toBe(5)
  expect(turn.signal.aborted).toBe(true)
  expect(registry.stats()).toMatchObject({ size: 0, held: 0, deleted: 5 })
  expect(clock.pending).toBeLessThanOrEqual(2)
  expect(session).toMatchObject({ idleMs: 100, ageMs: 100 })
  expect(
    events
      .take()
      .filter((line) => line.startsWith('ended'))
      .toSorted(),
  ).toEqual(['plain', 'own', 'endless', 'held', 'running'].map((id) => `ended ${id} deleted`).toSorted())
  expect(await waiting).toBe(1)
  expect([...registry.keys()]).toEqual(['running'])
})

it('clear: an iteration in progress yields nothing more, and a listener may create', () => {
  const { registry, events } = clockedRegistry()
  for (const id of ['a', 'b', 'c']) registry.set(id, [])
  registry.once('ended', () => registry.set('a', ['new']))
  const ids = registry.keys()
  expect(ids.next().value).toBe('a')
  events.take()
  expect(registry.clear()).toBe(3)

  expect([...ids]).toEqual([])
  expect(registry.get('a')).toEqual(['new'])
  expect(events.take()).toEqual(['ended a deleted', 'ended b deleted', 'ended c deleted', 'created a'])
})

// A listener that still sees some of the sessions would observe a half-cleared registry.
it('clear: every listener sees all sessions gone', () => {
  const { registry } = clockedRegistry()
  for (let index = 0; index < 100; index += 1) registry.set(`${index}`, [])
  const sizes = new Set<number>()
  registry.on('ended', () => sizes.add(registry.size))
  registry.clear()

  expect(sizes).toEqual(new Set([0]))
})

it('clear: of more sessions than one `Map` holds, and the ids are free again', async () => {
  const clock = new ManualClock()
  const registry = new SessionRegistry<number>({ clock, timeoutMs: 1_000 })
  const count = 300_000
  const fill = () => {
    for (let index = 0; index < count; index += 1) registry.set(`${index}`, index)
  }
  fill()
  expect(registry.clear()).toBe(count)
  expect(registry.size).toBe(0)
  expect(registry.get('7')).toBeUndefined()
  expect(clock.pending).toBe(0)
  fill()
  expect(registry.size).toBe(count)
  expect(registry.get('299999')).toBe(299_999)
  for (let index = 0; index < count; index += 2) registry.delete(`${index}`)
  expect(registry.clear()).toBe(count / 2)
  clock.advance(5_000)
  await settle()

  expect(registry.stats()).toMatchObject({ size: 0, deleted: count * 2, expired: 0 })
}, 30_000)
