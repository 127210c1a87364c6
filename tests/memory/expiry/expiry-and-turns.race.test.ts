import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { Random } from '../../support/random.ts'
import { settle } from '../../support/settle.ts'

describe('an expiry and the start of a turn at the same time', () => {
  it('the session stays with the turn if that is first', async () => {
    const { registry, clock, events } = clockedRegistry({
      timeoutMs: 1_000,
      intervalMs: 1_000,
      maxTurnMs: 60_000,
    })
    registry.set('a', ['old'])
    clock.advance(999)
    const turn = beginTurn(registry, 'a')
    clock.advance(1)
    expect(turn.session.value).toEqual(['old'])
    turn.end.resolve('done')
    await turn.run.settled

    expect(events.take()).toEqual(['created a'])
    expect(registry.has('a')).toBe(true)
  })

  it('the turn gets a new session if the expiry is first', async () => {
    const { registry, clock, events } = clockedRegistry({ timeoutMs: 1_000, intervalMs: 1_000 })
    registry.set('a', ['old'])
    const seen: unknown[] = []
    registry.once('expired', () => registry.run('a', (session) => seen.push([...session.value])))
    clock.advance(1_000)
    await settle()

    expect(seen).toEqual([[]])
    expect(events.take()).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
  })

  it('nothing is lost in any order of timers, promises and sweeps', async () => {
    const random = new Random(1)
    for (let round = 0; round < 1_000; round += 1) {
      const store = new FakeArchive()
      const { registry, clock, events } = clockedRegistry({
        timeoutMs: 10,
        intervalMs: 10,
        maxTurnMs: 1_000,
        archive: store.archive,
        load: store.load,
      })
      const said: string[] = []
      const say = () => {
        const message = `${said.length}`
        said.push(message)
        return registry.run('a', async (session) => {
          if (random.chance(0.5)) await Promise.resolve()
          session.value.push(message)
        })
      }
      const turns = [say()]
      // Each of these is due in the millisecond in which the session expires.
      const steps = [() => turns.push(say()), () => registry.sweep(), () => turns.push(say())]
      for (const _ of steps) clock.setTimeout(() => steps.splice(random.below(steps.length), 1)[0]?.(), 10)
      if (random.chance(0.5)) await Promise.resolve()
      if (random.chance(0.3)) clock.advance(10)
      await clock.advanceAsync(10)
      await Promise.all(turns)
      await registry.close()

      expect(store.stored.get('a')?.toSorted(), `round ${round}`).toEqual(said.toSorted())
      const created = events.lines.filter((line) => line.startsWith('created'))
      expect(events.lines.filter((line) => line.startsWith('ended'))).toHaveLength(created.length)
    }
  })
})
