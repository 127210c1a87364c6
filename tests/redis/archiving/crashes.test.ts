import { expect, it } from 'vitest'
import type { Journal, JournalLine } from '../../support/journal.ts'
import { byIncarnation, doubledIn, expectOneEndEach, lostIn } from '../../support/journal-checks.ts'
import { describeOnRedis } from '../../support/redis-suite.ts'
import { type RedisWorker, testWorkers } from '../../support/redis-workers.ts'

const generous = { timeout: 120_000 }
const sessions = 600
const ids = Array.from({ length: sessions }, (_, index) => `visitor-${index}`)

// A lease long enough not to be lost by a busy machine alone, for then there would be more duplicates than
// explained.
const options = { timeoutMs: 1_500, leaseMs: 3_000, intervalMs: 500, archiveConcurrency: 8 }
const archive = { leastMs: 20, mostMs: 60 }

async function archivedAtLeast(journal: Journal, count: number): Promise<void> {
  await expect
    .poll(() => byIncarnation(journal.read(), 'archived').size, { timeout: 90_000, interval: 20 })
    .toBeGreaterThanOrEqual(count)
}

/** Returns every incarnation with a save. */
async function archivedAll(journal: Journal): Promise<void> {
  await expect.poll(() => lostIn(journal.read()), { timeout: 90_000, interval: 50 }).toEqual([])
}

/** Returns every session with two acknowledged saves. */
async function fill(workers: readonly RedisWorker[]): Promise<void> {
  const share = Math.ceil(sessions / workers.length)
  const outcomes = await Promise.all(
    workers.map((worker, index) => {
      const mine = ids.slice(index * share, (index + 1) * share)
      return worker.do('increment', { ids: mine, times: 2 * mine.length, parallel: 16 })
    }),
  )
  expect(outcomes.flatMap(({ failures }) => failures)).toEqual([])
}

/** Checks that a process crashed during its work; otherwise nothing was tested. */
function expectSomeTakenOver(lines: readonly JournalLine[]): void {
  const attempts = lines.filter(({ what }) => what === 'archiving').map(({ attempt = 0 }) => attempt)
  expect(Math.max(...attempts)).toBeGreaterThan(1)
}

describeOnRedis('archiving by processes that crash', (redis) => {
  it('loses nothing if some are killed and one is suspended past its lease', generous, async () => {
    const processes = testWorkers(redis, { options, archive })
    const { journal } = processes
    const workers = (await processes.start(4)) as [RedisWorker, RedisWorker, RedisWorker, RedisWorker]
    const [first, second, third] = workers
    await fill(workers)
    await archivedAtLeast(journal, sessions * 0.2)
    await first.kill()
    await archivedAtLeast(journal, sessions * 0.4)
    await second.kill()
    await archivedAtLeast(journal, sessions * 0.5)
    third.freeze()
    // The remaining process archives the claims of the three when their leases lapse.
    await archivedAll(journal)
    third.thaw()
    // It has lost its leases: its acknowledgements are rejected, and it emits no end.
    await third.do('ready')
    await third.do('close', 5_000)

    const lines = journal.read()
    expect(new Set(lines.map(({ id }) => id)).size).toBe(sessions)
    expect(doubledIn(lines, [first.pid, second.pid, third.pid])).toEqual([])
    expectOneEndEach(lines)
    expectSomeTakenOver(lines)
  })

  it('loses nothing if all are killed and others start', generous, async () => {
    const processes = testWorkers(redis, { options, archive })
    const { journal } = processes
    const workers = await processes.start(3)
    await fill(workers)
    await archivedAtLeast(journal, sessions * 0.4)
    await Promise.all(workers.map((worker) => worker.kill()))
    const before = byIncarnation(journal.read(), 'archived').size
    expect(before).toBeLessThan(sessions)
    await processes.start(2)
    await archivedAll(journal)

    const lines = journal.read()
    expect(new Set(lines.map(({ id }) => id)).size).toBe(sessions)
    const killed = workers.map(({ pid }) => pid)
    expect(doubledIn(lines, killed)).toEqual([])
    expectOneEndEach(lines)
    expectSomeTakenOver(lines)
  })
})
