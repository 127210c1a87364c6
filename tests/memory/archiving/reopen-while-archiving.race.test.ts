import { expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { Random } from '../../support/random.ts'

it('reopen during the archive: finds every message, over thousands of rounds', async () => {
  const random = new Random(2)
  const stored = new Map<string, string[]>()
  /** A few promises long, so that the visitor comes back before, while or after the store answers. */
  const takeTime = async () => {
    for (let left = random.below(6); left > 0; left -= 1) await Promise.resolve()
  }
  const { registry, clock } = clockedRegistry({
    timeoutMs: 1_000,
    intervalMs: 2 ** 31 - 1,
    maxTurnMs: 60_000,
    archiveAttempts: 2,
    archive: async (session) => {
      await takeTime()
      if (random.chance(0.2)) throw new Error('down')
      stored.set(session.id, [...session.value])
      await takeTime()
      if (random.chance(0.1)) throw new Error('the answer got lost')
    },
    load: async (id) => {
      await takeTime()
      return stored.get(id)?.slice()
    },
  })
  registry.on('error', () => {})
  let said = 0
  for (let round = 0; round < 3_000; round += 1) {
    const visits = Array.from({ length: 1 + random.below(3) }, (_, index) =>
      registry.run('a', async (session) => {
        if (random.chance(0.3)) await takeTime()
        session.value.push(`${round}.${index}`)
      }),
    )
    said += visits.length
    let isDone = false
    const done = Promise.all(visits).then(() => {
      isDone = true
    })
    for (let left = 20; left > 0 && !isDone; left -= 1) await Promise.resolve()
    // Only the pause after a failed attempt needs the clock.
    while (!isDone) await clock.advanceAsync(50)
    await done
    expect(registry.get('a')).toHaveLength(said)
    clock.advance(1_000)
    registry.sweep()
    await takeTime()
    await takeTime()
  }

  const { archiveFailures, loaded } = registry.stats()
  expect(archiveFailures).toBeGreaterThan(300)
  expect(loaded).toBeGreaterThan(1_000)
}, 60_000)
