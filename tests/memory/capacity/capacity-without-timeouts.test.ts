import { expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'

// `max` with entries that never expire: @isaacs/ttlcache loops for ever in `set`.
it('capacity: holds for sessions that never expire', () => {
  const { registry, events } = clockedRegistry({
    timeoutMs: Number.POSITIVE_INFINITY,
    maxSessions: 2,
  })
  for (const id of ['a', 'b', 'c', 'd']) registry.set(id, [])

  expect([...registry.keys()]).toEqual(['c', 'd'])
  expect(events.lines).toContain('ended a capacity')
  expect(events.lines).toContain('ended b capacity')
})

it('capacity: refuses without a search if no session can be evicted', () => {
  const { registry } = clockedRegistry({ timeoutMs: Number.POSITIVE_INFINITY, maxSessions: 2 })
  for (const id of ['a', 'b']) {
    registry.set(id, [])
    registry.hold(id)
  }

  expect(thrownBy(() => registry.set('c', []))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
})
