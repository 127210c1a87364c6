import { expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { Random } from '../../support/random.ts'
import { settle } from '../../support/settle.ts'

it('turn limit: a turn that settles in the same millisecond counts if it was first', async () => {
  const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, maxTurnMs: 500, turnGraceMs: 0 })
  clock.setTimeout(() => inTime.end.resolve('in time'), 500)
  const inTime = beginTurn(registry, 'a')
  await clock.advanceAsync(500)
  expect(inTime.run.value).toBe('in time')

  const late = beginTurn(registry, 'a')
  clock.setTimeout(() => late.end.resolve('late'), 500)
  await clock.advanceAsync(500)
  expect(late.run.state).toBe('rejected')
})

it('turn limit: a timed-out turn that settles late never counts twice, and two turns never overlap', async () => {
  const random = new Random(3)
  for (let round = 0; round < 300; round += 1) {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1_000, maxTurnMs: 40, turnGraceMs: 10 })
    let inTime = 0
    const running = new Set<number>()
    const turns = Array.from({ length: 6 }, (_, index) =>
      observe(
        registry.run('a', async () => {
          expect(running.size).toBe(0)
          running.add(index)
          // It has lost its session after limit and grace, 50 ms in all, whenever it settles.
          clock.setTimeout(() => running.delete(index), 50.5)
          const waits = deferred()
          clock.setTimeout(waits.resolve, random.below(100))
          await waits.promise
          if (running.delete(index)) inTime += 1
        }),
      ),
    )
    await clock.advanceAsync(1_000)

    const states = turns.map(({ state }) => state)
    expect(states).not.toContain('pending')
    expect(states.filter((state) => state === 'fulfilled')).toHaveLength(inTime)
    expect(registry.stats().held).toBe(0)
    expect(clock.pending).toBeLessThanOrEqual(1)
    await settle()
  }
}, 60_000)
