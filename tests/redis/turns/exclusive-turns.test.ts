import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { type RedisWorker, Workers } from '../../support/redis-workers.ts'
import { sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { Tally } from '../../support/worker-jobs.ts'

const generous = { timeout: 60_000 }

/** Starts a turn that continues in that process. */
async function turnIn(worker: RedisWorker, id: string, forMs: number, isBlocking = false) {
  const turn = observe(worker.do('turn', { id, forMs, isBlocking }))
  await waitUntil(() => worker.notices.some(({ entered }) => entered === id))
  return turn
}

describeOnRedis('turns of several processes', (redis) => {
  let processes: Workers | undefined
  let workers: RedisWorker[] = []
  beforeAll(async () => {
    processes = new Workers(redis, { options: { timeoutMs: 600_000, leaseMs: 1_500 } })
    workers = await processes.start(3)
  }, generous.timeout)
  afterAll(async () => {
    await processes?.end()
  })

  it('run one at a time, and every acknowledged change is stored', generous, async () => {
    const ids = ['a', 'b', 'c']
    const work = { ids, times: 150, parallel: 6 }

    const outcomes = await Promise.all(workers.map((worker) => worker.do('increment', work)))

    expect(outcomes).toEqual(workers.map(() => ({ acknowledged: 150, failures: [] })))
    const lines = processes?.journal.read() ?? []
    for (const id of ids) {
      const seen = lines.filter((line) => line.what === 'saved' && line.id === id)
      // Two concurrent turns would have read the same number.
      expect(seen.map(({ n = 0 }) => n).sort((a, b) => a - b)).toEqual(seen.map((_, index) => index + 1))
      expect(await workers[0]?.do('read', id)).toEqual({ n: seen.length })
    }
    expect(lines.filter(({ what }) => what === 'created')).toHaveLength(ids.length)
  })

  it('cannot save over the next one after the process was suspended past its lease', generous, async () => {
    const [frozen, other] = workers as [RedisWorker, RedisWorker]
    const turn = await turnIn(frozen, 'frozen', 2_000)
    frozen.freeze()
    const next = { ids: ['frozen'], times: 2, parallel: 1 }

    expect(await other.do('increment', next)).toMatchObject({ acknowledged: 2 })
    frozen.thaw()
    await turn.settled
    expect(turn.error).toMatchObject({ code: 'ERR_SESSION_LOCK_LOST' })
    expect(await other.do('read', 'frozen')).toEqual({ n: 2 })
    expect(await frozen.do('read', 'frozen')).toEqual({ n: 2 })
  })

  it('cannot save over the next one after the event loop was blocked past its lease', generous, async () => {
    const [blocked, other] = workers as [RedisWorker, RedisWorker]
    const turn = await turnIn(blocked, 'blocked', 2_500, true)
    const next = { ids: ['blocked'], times: 1, parallel: 1 }

    expect(await other.do('increment', next)).toMatchObject({ acknowledged: 1 })
    await turn.settled
    expect(turn.error).toMatchObject({ code: 'ERR_SESSION_LOCK_LOST' })
    expect(await other.do('read', 'blocked')).toEqual({ n: 1 })
  })

  it('continue after the process of the running one has crashed', generous, async () => {
    const [dying, other] = workers as [RedisWorker, RedisWorker]
    await turnIn(dying, 'dying', 60_000)
    await dying.kill()
    const next = { ids: ['dying'], times: 1, parallel: 1 }

    expect(await other.do('increment', next)).toMatchObject({ acknowledged: 1 })
    expect(await other.do('read', 'dying')).toEqual({ n: 1 })
  })
})

describeOnRedis('a turn that waits for the lock of a crashed process', (redis) => {
  it('keeps the session, although its idle time is shorter than the lease', generous, async () => {
    const processes = new Workers(redis, { options: { timeoutMs: 800, leaseMs: 2_000 } })
    onTestFinished(() => processes.end())
    const [dying, other] = (await processes.start(2)) as [RedisWorker, RedisWorker]
    const next = { ids: ['dying'], times: 1, parallel: 1 }
    expect(await dying.do('increment', next)).toMatchObject({ acknowledged: 1 })
    await turnIn(dying, 'dying', 60_000)
    await dying.kill()

    expect(await other.do('increment', next)).toMatchObject({ acknowledged: 1 })
    expect(await other.do('read', 'dying')).toEqual({ n: 2 })
  })
})

describeOnRedis('turns of several registries', (redis) => {
  const lease = { timeoutMs: 600_000, leaseMs: 1_500 }

  async function two() {
    const options = { prefix: uniquePrefix(), create: (): Tally => ({ n: 0 }), ...lease }
    return [await testRegistry<Tally>(redis, options), await testRegistry<Tally>(redis, options)] as const
  }

  it('keep their session while the lease is renewed, however short it is', generous, async () => {
    const [one, other] = await two()
    let isRunning = false
    let metAnother = false
    const turn = (forMs: number) => async (session: { value: Tally }) => {
      metAnother ||= isRunning
      isRunning = true
      await new Promise((resolve) => setTimeout(resolve, forMs))
      isRunning = false
      session.value.n += 1
    }

    const long = one.run('a', turn(2_000))
    await waitUntil(() => isRunning)
    await Promise.all([long, other.run('a', turn(0))])
    expect(metAnother).toBe(false)
    expect(await other.get('a')).toEqual({ n: 2 })
  })

  it('are not starved by a process that always has another one waiting', generous, async () => {
    const [greedy, patient] = await two()
    let isFinished = false
    const visitor = async () => {
      while (!isFinished) await greedy.run('a', () => new Promise((resolve) => setTimeout(resolve, 5)))
    }
    const visitors = Promise.all([visitor(), visitor(), visitor()])
    await waitUntil(async () => (await greedy.stats()).turns > 3)
    for (let turn = 0; turn < 5; turn += 1) {
      await patient.run('a', (session) => {
        session.value.n += 1
      })
    }
    isFinished = true
    await visitors

    expect(await greedy.get('a')).toEqual({ n: 5 })
  })

  it('receive an interrupt of another process at the next renewal', generous, async () => {
    const [one, other] = await two()
    let isRunning = false
    const interrupted = observe(
      one.run('a', async (session, signal) => {
        isRunning = true
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        session.value.n += 1
        return signal.reason as unknown
      }),
    )
    await waitUntil(() => isRunning)

    await other.run('a', (session) => expect(session.value.n).toBe(1), { whenBusy: 'interrupt' })
    await interrupted.settled
    expect(interrupted.value).toEqual(sessionError('ERR_SESSION_TURN_INTERRUPTED'))
  })

  it('are ended if another process deletes the session', generous, async () => {
    const [one, other] = await two()
    const turn = observe(
      one.run('a', async (session) => {
        session.value.n += 1
        await other.delete('a')
      }),
    )
    await turn.settled

    expect(turn.error).toEqual(sessionError('ERR_SESSION_ENDED'))
    expect(await other.get('a')).toBeUndefined()
  })

  it('are equally busy in every process', generous, async () => {
    const [one, other] = await two()

    await one.run('a', async () => {
      const busy = observe(other.run('a', () => {}, { whenBusy: 'reject' }))
      await busy.settled
      expect(busy.error).toEqual(sessionError('ERR_SESSION_BUSY'))
      expect(await other.run('a', ({ value }) => value, { whenBusy: 'join' })).toEqual({ n: 0 })
    })
  })
})
