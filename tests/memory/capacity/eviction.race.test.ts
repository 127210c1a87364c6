import { expect, it } from 'vitest'
import { type BegunTurn, beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { Random } from '../../support/random.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const full = sessionError('ERR_SESSION_REGISTRY_FULL')

it('capacity: if all sessions are held or archiving, waits for an archive', async () => {
  const store = new FakeArchive('manual')
  const { registry } = clockedRegistry({ maxSessions: 2, archive: store.archive, load: store.load })
  registry.set('idle', ['hello'])
  const held = beginTurn(registry.set('held', []), 'held')
  const first = observe(registry.run('new', () => 'served'))
  await settle()
  expect(registry.stats()).toMatchObject({ size: 1, held: 1, archiving: 1 })
  store.last.succeed()
  await first.settled

  expect(first.value).toBe('served')
  expect(held.signal.aborted).toBe(false)
  const second = beginTurn(registry, 'new')
  expect(await failureOf(() => registry.open('idle'))).toEqual(full)
  for (const turn of [held, second]) turn.end.resolve('done')
})

it('capacity: never ends a session in use, for any order of opening, holding and archiving', async () => {
  const random = new Random(5)
  for (let round = 0; round < 150; round += 1) {
    const store = new FakeArchive('manual')
    const maxSessions = 1 + random.below(3)
    const { registry } = clockedRegistry({ maxSessions, archive: store.archive, load: store.load })
    const inUse = new Set<BegunTurn>()
    registry.on('ended', (session) => {
      for (const turn of inUse) expect(turn.session).not.toBe(session)
    })
    const opens = []
    for (let step = 0; step < 30; step += 1) {
      const id = `id-${random.below(5)}`
      const what = random.below(4)
      if (what === 0) opens.push(observe(registry.open(id)))
      else if (what === 1 && registry.has(id)) {
        const turn = registry.peek(id)?.held === true ? undefined : beginTurn(registry, id)
        if (turn !== undefined) inUse.add(turn)
      } else if (what === 2) {
        for (const turn of inUse) {
          inUse.delete(turn)
          turn.end.resolve('done')
          break
        }
      } else {
        for (const call of store.calls) call.succeed()
      }
      if (random.chance(0.5)) await settle()
      expect(registry.stats().size + registry.stats().archiving).toBeLessThanOrEqual(maxSessions)
    }
    for (const turn of inUse) turn.end.resolve('done')
    inUse.clear()
    store.mode = 'instant'
    for (const call of store.calls) call.succeed()
    await settle()

    expect(opens.map(({ state }) => state)).not.toContain('pending')
    for (const { error } of opens) if (error !== undefined) expect(error).toEqual(full)
    expect(registry.stats().listenerErrors).toBe(0)
  }
}, 60_000)
