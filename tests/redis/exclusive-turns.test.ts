import { expect, it } from 'vitest'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../support/redis-suite.ts'
import { type RedisWorker, workersOn } from '../support/redis-workers.ts'
import { sessionError } from '../support/session-error.ts'
import { watch } from '../support/watched.ts'
import type { Tally } from '../support/worker-jobs.ts'

const options = { timeoutMs: 600_000, leaseMs: 1_500 }
const generous = { timeout: 60_000 }

async function hasEntered(worker: RedisWorker): Promise<void> {
  await expect.poll(() => worker.told, { timeout: 20_000 }).toContainEqual({ entered: 'a' })
}

describeOnRedis('turns of several processes', (redis) => {
  it('run one at a time, and what each of them acknowledged is stored', generous, async () => {
    const { start, journal } = workersOn(redis, { options: { timeoutMs: 600_000 } })
    const workers = await start(3)
    const ids = ['a', 'b', 'c']
    const work = { ids, times: 150, parallel: 6 }

    const outcomes = await Promise.all(workers.map((worker) => worker.do('increment', work)))

    expect(outcomes).toEqual(workers.map(() => ({ acknowledged: 150, failures: [] })))
    for (const id of ids) {
      const seen = journal.all('saved').filter((line) => line.id === id)
      // Two turns at once would have seen the same number.
      expect(seen.map(({ n = 0 }) => n).sort((a, b) => a - b)).toEqual(seen.map((_, index) => index + 1))
      expect(await workers[0]?.do('read', id)).toEqual({ n: seen.length })
    }
    expect(journal.all('created')).toHaveLength(ids.length)
  })

  it(
    'cannot save over the next one after the process stood still for longer than its lease',
    generous,
    async () => {
      const { start } = workersOn(redis, { options })
      const [frozen, other] = (await start(2)) as [RedisWorker, RedisWorker]
      const turn = watch(frozen.do('turn', { id: 'a', forMs: 3_000 }))
      await hasEntered(frozen)
      frozen.freeze()

      expect(await other.do('increment', { ids: ['a'], times: 2, parallel: 1 })).toMatchObject({
        acknowledged: 2,
      })
      frozen.thaw()
      await turn.settled
      expect(turn.error).toMatchObject({ code: 'ERR_SESSION_LOCK_LOST' })
      expect(await other.do('read', 'a')).toEqual({ n: 2 })
      expect(await frozen.do('read', 'a')).toEqual({ n: 2 })
    },
  )

  it('cannot save over the next one after something blocked the event loop', generous, async () => {
    const { start } = workersOn(redis, { options })
    const [blocked, other] = (await start(2)) as [RedisWorker, RedisWorker]
    const turn = watch(blocked.do('turn', { id: 'a', forMs: 4_000, isBlocking: true }))
    await hasEntered(blocked)

    expect(await other.do('increment', { ids: ['a'], times: 1, parallel: 1 })).toMatchObject({
      acknowledged: 1,
    })
    await turn.settled
    expect(turn.error).toMatchObject({ code: 'ERR_SESSION_LOCK_LOST' })
    expect(await other.do('read', 'a')).toEqual({ n: 1 })
  })

  it('go on after the process of the running one has died', generous, async () => {
    const { start } = workersOn(redis, { options })
    const [dying, other] = (await start(2)) as [RedisWorker, RedisWorker]
    const turn = watch(dying.do('turn', { id: 'a', forMs: 60_000 }))
    await hasEntered(dying)
    await dying.kill()
    await turn.settled

    expect(await other.do('increment', { ids: ['a'], times: 1, parallel: 1 })).toMatchObject({
      acknowledged: 1,
    })
    expect(await other.do('read', 'a')).toEqual({ n: 1 })
  })

  it('keep their session while they are renewed, however short the lease', generous, async () => {
    const prefix = uniquePrefix()
    const create = (): Tally => ({ n: 0 })
    const one = await testRegistry<Tally>(redis, { prefix, create, timeoutMs: 600_000, leaseMs: 1_500 })
    const other = await testRegistry<Tally>(redis, { prefix, create, timeoutMs: 600_000, leaseMs: 1_500 })
    let isRunning = false
    let metAnother = false
    const turn = (forMs: number) => async (session: { value: Tally }) => {
      metAnother ||= isRunning
      isRunning = true
      await new Promise((resolve) => setTimeout(resolve, forMs))
      isRunning = false
      session.value.n += 1
    }

    const long = one.run('a', turn(4_000))
    await expect.poll(() => isRunning).toBe(true)
    await Promise.all([long, other.run('a', turn(0))])
    expect(metAnother).toBe(false)
    expect(await other.get('a')).toEqual({ n: 2 })
  })

  it('see an interrupt of another process at the next renewal', generous, async () => {
    const prefix = uniquePrefix()
    const create = (): Tally => ({ n: 0 })
    const one = await testRegistry<Tally>(redis, { prefix, create, timeoutMs: 600_000, leaseMs: 1_500 })
    const other = await testRegistry<Tally>(redis, { prefix, create, timeoutMs: 600_000, leaseMs: 1_500 })
    let isRunning = false
    const interrupted = watch(
      one.run('a', async (session, signal) => {
        isRunning = true
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        session.value.n += 1
        return signal.reason as unknown
      }),
    )
    await expect.poll(() => isRunning).toBe(true)

    await other.run('a', (session) => expect(session.value.n).toBe(1), { whenBusy: 'interrupt' })
    await interrupted.settled
    expect(interrupted.value).toEqual(sessionError('ERR_SESSION_TURN_INTERRUPTED'))
  })

  it('learn that another process has deleted the session', generous, async () => {
    const prefix = uniquePrefix()
    const create = (): Tally => ({ n: 0 })
    const one = await testRegistry<Tally>(redis, { prefix, create, timeoutMs: 600_000, leaseMs: 1_500 })
    const other = await testRegistry<Tally>(redis, { prefix, create, timeoutMs: 600_000, leaseMs: 1_500 })
    const turn = watch(
      one.run('a', async (session) => {
        session.value.n += 1
        await other.delete('a')
      }),
    )
    await turn.settled

    expect(turn.error).toEqual(sessionError('ERR_SESSION_ENDED'))
    expect(await other.get('a')).toBeUndefined()
  })

  it('refuse to be told apart: busy is busy in every process', generous, async () => {
    const prefix = uniquePrefix()
    const create = (): Tally => ({ n: 0 })
    const one = await testRegistry<Tally>(redis, { prefix, create, timeoutMs: 600_000 })
    const other = await testRegistry<Tally>(redis, { prefix, create, timeoutMs: 600_000 })

    await one.run('a', async () => {
      const busy = watch(other.run('a', () => {}, { whenBusy: 'reject' }))
      await busy.settled
      expect(busy.error).toEqual(sessionError('ERR_SESSION_BUSY'))
      expect(await other.run('a', ({ value }) => value, { whenBusy: 'join' })).toEqual({ n: 0 })
    })
  })
})
