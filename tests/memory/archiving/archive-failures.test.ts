import { expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { sessionError } from '../../support/session-error.ts'

// Archive after the data was changed: a passing failure became permanent loss (HKUDS/nanobot#5378).
it('archive: a session whose archive fails for a while loses nothing', async () => {
  const store = new FakeArchive('failing')
  const { registry, clock, events } = clockedRegistry({
    timeoutMs: 60_000,
    intervalMs: 1_000,
    archive: store.archive,
    load: store.load,
    archiveAttempts: 2,
  })
  const errors: unknown[] = []
  registry.on('error', (error) => errors.push(error))
  await registry.run('a', (session) => session.value.push('precious'))
  await clock.advanceAsync(62_000)
  expect(errors).toEqual([sessionError('ERR_SESSION_ARCHIVE_FAILED')])
  expect(registry.peek('a')?.value).toEqual(['precious'])
  expect(events.lines).toEqual(['created a'])
  store.mode = 'instant'
  await clock.advanceAsync(62_000)
  expect(events.lines).toEqual(['created a', 'expired a idle', 'ended a idle'])

  expect(await registry.open('a')).toEqual(['precious'])
})

// A request that comes while a session is being closed gets neither the old nor a new one
// (cyberlife-coder/VelesDB#2319).
it('archive: a visitor who returns during the archive gets the whole history', async () => {
  const store = new FakeArchive('manual')
  const { registry, clock } = clockedRegistry({
    timeoutMs: 1_000,
    intervalMs: 1_000,
    archive: store.archive,
    load: store.load,
  })
  await registry.run('a', (session) => session.value.push('before'))
  await clock.advanceAsync(1_000)
  expect(store.calls).toHaveLength(1)
  const back = registry.run('a', (session) => session.value.push('after'))
  store.last.succeed()
  await back

  expect(registry.get('a')).toEqual(['before', 'after'])
})
