import { SessionRegistry } from 'session-registry'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'

// As users write it, without a `clock`: Vitest fakes every timer, `setImmediate` and `performance.now` too.
beforeEach(() => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
})

it('Vitest’s fake timers: a sweep completes when they advance, in any number of slices', async () => {
  const registry = new SessionRegistry({ timeoutMs: 1_000, intervalMs: 300, create: () => [] })
  for (let index = 0; index < 20_000; index += 1) registry.getOrCreate(`id-${index}`)
  await vi.advanceTimersByTimeAsync(1_199)
  expect(registry.size).toBe(20_000)
  await vi.advanceTimersByTimeAsync(1)

  expect(registry.size).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})

it('Vitest’s fake timers: a turn is aborted when they advance', async () => {
  const registry = new SessionRegistry({ maxTurnMs: 700, turnGraceMs: 300, create: () => [] })
  const turn = observe(registry.run('a', () => new Promise(() => {})))
  await vi.advanceTimersByTimeAsync(999)
  expect(turn.state).toBe('pending')
  await vi.advanceTimersByTimeAsync(1)

  expect(turn.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
})

it('Vitest’s fake timers: loading, waiting for capacity and closing work without advancing', async () => {
  const stored = new Map<string, string[]>()
  const registry = new SessionRegistry<string[]>({
    maxSessions: 2,
    create: () => [],
    load: async (id) => stored.get(id),
    archive: async ({ id, value }) => void stored.set(id, [...value]),
  })
  await registry.run('a', ({ value }) => value.push('hello'))
  for (const id of ['b', 'c', 'd']) await registry.open(id)
  expect(await registry.open('a')).toEqual(['hello'])

  expect(await registry.close()).toEqual({ ended: 2, archived: 2, failed: [] })
  expect(vi.getTimerCount()).toBe(0)
})
