import type { SessionRegistry } from 'session-registry'
import type { ManualClock } from 'session-registry/testing'
import { expect } from 'vitest'
import type { Model, ModelSession } from './model.ts'

export function comparePeek(
  registry: SessionRegistry<string>,
  model: Model,
  clock: ManualClock,
  id: string,
): void {
  const now = clock.now()
  const live = model.live(id, now)
  const session = registry.peek(id)
  expect(session?.value).toBe(live?.value)
  if (live === undefined || session === undefined) return
  const { ageMs, idleMs, timeoutMs, held, createdAt } = session
  expect({ ageMs, idleMs, timeoutMs, held, createdAt }).toEqual({
    ageMs: now - live.created,
    idleMs: live.holds > 0 ? 0 : now - live.lastActive,
    timeoutMs: live.timeoutMs,
    held: live.holds > 0,
    createdAt: Math.round(clock.date() - (now - live.created)),
  })
}

/** Returns the live sessions, least recently active first, those in use last. */
export function compareIteration(registry: SessionRegistry<string>, model: Model, clock: ManualClock): void {
  const now = clock.now()
  const live = model.sessions.filter((session) => !model.isExpired(session, now))
  const ids = [...registry.keys()]
  expect(ids.toSorted()).toEqual(live.map(({ id }) => id).toSorted())
  expect([...registry]).toEqual(ids.map((id) => [id, model.find(id)?.value]))
  const found = ids.map((id) => model.find(id) as ModelSession)
  const idle = found.filter(({ holds }) => holds === 0)
  expect(found.slice(0, idle.length)).toEqual(idle)
  const times = idle.map(({ lastActive }) => lastActive)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
}
