import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { FakeArchive } from '../support/fake-archive.ts'
import { FaultStore } from '../support/fault-store.ts'
import { inspectorOf } from '../support/inspector-requests.ts'

describe('failures on the page', () => {
  it('archives that fail: each attempt with its code, and the error of the last', async () => {
    const archive = new FakeArchive('failing')
    const { registry, clock } = clockedRegistry({
      name: 'failing archives',
      timeoutMs: 1_000,
      intervalMs: 1_000,
      archiveAttempts: 2,
      archive: (...args) =>
        Promise.resolve(archive.archive(...args)).catch((cause) => {
          throw Object.assign(new Error('password=secret', { cause }), {
            code: 'ECONNREFUSED',
          })
        }),
    })
    registry.on('error', () => {})
    const { first, get } = inspectorOf(registry)
    registry.set('ada', [])
    await clock.advanceAsync(5_000)
    const { failureCounts, lastFailures } = await first()

    expect(failureCounts.archive).toBeGreaterThanOrEqual(2)
    expect(lastFailures.slice(-3).map(({ what, code, attempt, ref }) => [what, code, attempt, ref])).toEqual([
      ['error', 'ERR_SESSION_ARCHIVE_FAILED, ECONNREFUSED', undefined, registry.ref('ada')],
      ['archive', 'ECONNREFUSED', 2, registry.ref('ada')],
      ['archive', 'ECONNREFUSED', 1, registry.ref('ada')],
    ])
    expect(await (await get('?snapshot')).text()).not.toMatch(/secret/)
  })

  it('saves that fail: each try, though the turn then succeeds', async () => {
    const store = new FaultStore()
    const { registry } = clockedRegistry({ name: 'failing saves', store, clock: undefined })
    const { first } = inspectorOf(registry)
    store.failNext('put')
    await registry.run('ada', ({ value }) => value.push('hello'))
    const { failureCounts, lastFailures } = await first()

    expect(failureCounts).toEqual({ archive: 0, save: 1, error: 0 })
    expect(lastFailures.map(({ what, attempt, ref }) => [what, attempt, ref])).toEqual([
      ['save', 1, registry.ref('ada')],
    ])
  })
})
