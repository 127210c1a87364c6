import { expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { Random } from '../../support/random.ts'

it('close: at any moment, loses nothing that was accepted, and ends everything once', async () => {
  const random = new Random(4)
  for (let round = 0; round < 300; round += 1) {
    const store = new FakeArchive()
    const { registry, clock, events } = clockedRegistry({
      timeoutMs: 40,
      intervalMs: 10,
      maxTurnMs: 60,
      turnGraceMs: random.pick([0, 5, 50]),
      maxSessions: random.pick([2, 4, Number.POSITIVE_INFINITY]),
      archive: store.archive,
      load: store.load,
    })
    const accepted: [id: string, message: string][] = []
    const say = (id: string, message: string) => {
      const turn = registry.run(id, async (session, signal) => {
        const waits = deferred()
        clock.setTimeout(waits.resolve, random.below(30))
        await waits.promise
        if (signal.aborted) throw signal.reason
        session.value.push(message)
      })
      return observe(turn.then(() => accepted.push([id, message])))
    }
    const close = () => registry.close({ deadlineMs: random.pick([0, 5, 1_000]) })
    const turns = Array.from({ length: 10 }, (_, index) => say(`id-${random.below(3)}`, `${index}`))
    // In a listener, in a turn, or from outside with waiting turns; twice.
    const how = random.below(3)
    if (how === 0) registry.on(random.pick(['created', 'ended'] as const), close)
    if (how === 1) turns.push(observe(registry.run('id-0', close).then(() => 0)))
    await clock.advanceAsync(random.below(40))
    const report = observe(close())
    expect(registry.close()).toBe(registry.close())
    await clock.advanceAsync(2_000)

    expect(report.state).toBe('fulfilled')
    expect(report.value?.failed).toEqual([])
    expect(turns.map(({ state }) => state)).not.toContain('pending')
    for (const [id, message] of accepted) expect(store.stored.get(id), `round ${round}`).toContain(message)
    const count = (event: string) => events.lines.filter((line) => line.startsWith(event)).length
    expect(count('ended')).toBe(count('created'))
    expect(registry.stats()).toMatchObject({ size: 0, held: 0, archiving: 0 })
    expect(clock.pending).toBe(0)
  }
}, 60_000)
