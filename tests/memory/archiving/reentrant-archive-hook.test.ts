import { expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

// The hook is called in the middle of `sweep`, `set` or `close`: its calls before the first `await` are
// re-entrant.

it('archive hook: may delete its own session, one that is queued for its archive, and all others', async () => {
  const calls: unknown[] = []
  const { registry, clock, events } = clockedRegistry({
    timeoutMs: 1_000,
    archiveConcurrency: 1,
    archive: async ({ id }) =>
      void calls.push(id, registry.delete(id), registry.delete('b'), registry.clear()),
  })
  for (const id of ['a', 'b', 'c']) registry.set(id, [])
  events.take()
  clock.advance(1_000)

  expect(registry.sweep()).toBe(3)
  await settle()
  expect(calls).toEqual(['a', true, true, 1])
  expect(events.take()).toEqual(['ended a deleted', 'ended b deleted', 'ended c deleted'])
  expect(registry.stats()).toMatchObject({ size: 0, archiving: 0, deleted: 3, expired: 0 })
})

it('archive hook: may create a session and close the registry, which archives the new one too', async () => {
  const { registry, clock, events } = clockedRegistry({
    timeoutMs: 1_000,
    archive: async ({ id }) => {
      if (id !== 'a') return
      registry.set('new', [])
      void registry.close()
    },
  })
  for (const id of ['a', 'b']) registry.set(id, [])
  events.take()
  clock.advance(1_000)
  registry.sweep()

  expect(await registry.close()).toEqual({ ended: 3, archived: 3, failed: [] })
  expect(events.take()).toEqual([
    'created new',
    'expired a idle',
    'ended a idle',
    'expired b idle',
    'ended b idle',
    'ended new closed',
  ])
})

it('archive hook: may sweep, which archives no session twice', async () => {
  const store = new FakeArchive()
  const { registry, clock } = clockedRegistry({
    timeoutMs: 1_000,
    archive: (...call) => {
      registry.sweep()
      return store.archive(...call)
    },
  })
  for (const id of ['a', 'b', 'c']) registry.set(id, [])
  clock.advance(1_000)

  expect(registry.sweep()).toBe(3)
  await settle()
  expect(store.calls.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
})

it('archive hook: a synchronous throw refuses the creation at the cap, and causes nothing else', async () => {
  const failure = new Error('the driver is not ready')
  const { registry, events } = clockedRegistry({
    maxSessions: 1,
    archiveAttempts: 1,
    archive: () => {
      throw failure
    },
  })
  const errors: unknown[] = []
  registry.on('error', (error) => errors.push(error))
  registry.set('a', ['kept'])

  expect(thrownBy(() => registry.set('b', []))).toEqual(sessionError('ERR_SESSION_REGISTRY_FULL'))
  await settle()
  expect(errors).toMatchObject([{ code: 'ERR_SESSION_ARCHIVE_FAILED', cause: failure }])
  expect(registry.get('a')).toEqual(['kept'])
  expect(events.take()).toEqual(['created a'])
})
