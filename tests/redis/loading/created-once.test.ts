import { expect, it } from 'vitest'
import { describeOnRedis } from '../../support/redis-suite.ts'
import { testWorkers } from '../../support/redis-workers.ts'

describeOnRedis('creation by several processes', (redis) => {
  it('emits `created` in exactly one process per session', { timeout: 60_000 }, async () => {
    const processes = testWorkers(redis, { options: { timeoutMs: 600_000 } })
    const workers = await processes.start(3)
    const ids = Array.from({ length: 800 }, (_, index) => `visitor-${index}`)

    const counts = await Promise.all(workers.map((worker) => worker.do('create', ids)))

    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(ids.length)
    const recorded = processes.journal.all('created')
    expect(recorded).toHaveLength(ids.length)
    expect(new Set(recorded.map(({ id }) => id)).size).toBe(ids.length)
    expect(processes.journal.all('error')).toEqual([])
  })
})
