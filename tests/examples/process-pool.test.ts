import { type ChildProcess, spawn } from 'node:child_process'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type PoolOptions, processPool } from '../../examples/processes/process-pool.ts'

// Child processes; the machine may be busy.
vi.setConfig({ testTimeout: 90_000 })

const answering = `process.on('message', (request) => {
  if (request === 'crash') process.exit(7)
  if (request === 'slowly') setTimeout(() => process.send(request), 300)
  else if (request !== 'never') process.send(request)
})
process.send('ready')`

function nodeWorker(program = answering): ChildProcess {
  return spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
}

/** A process that ignores SIGTERM, once it is ready. */
function stubbornWorker(): ChildProcess {
  return nodeWorker(`process.on('SIGTERM', () => {}); ${answering}`)
}

/** A process that is never ready, and ignores SIGTERM. */
function hangingWorker(): ChildProcess {
  const loop = 'trap "" TERM; while :; do sleep 0.05; done'
  return spawn('sh', ['-c', loop], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A pool, with the processes that it has started and the most that were alive at once. */
function observedPool({ spawnWorker, ...options }: PoolOptions) {
  const pids: number[] = []
  const errors: Error[] = []
  const seen = { pids, errors, mostAlive: 0, alive: () => pids.filter(isAlive) }
  const pool = processPool({
    ...options,
    spawnWorker: (id) => {
      const worker = spawnWorker(id)
      if (worker.pid !== undefined) pids.push(worker.pid)
      seen.mostAlive = Math.max(seen.mostAlive, seen.alive().length)
      return worker
    },
  })
  pool.workers.on('error', (error) => errors.push(error as Error))
  onTestFinished(() => {
    for (const pid of seen.alive()) process.kill(pid, 'SIGKILL')
  })
  return { ...pool, seen }
}

async function expectNoneLeft({ workers, seen }: ReturnType<typeof observedPool>): Promise<void> {
  await workers.close()
  expect(seen.alive()).toEqual([])
  expect(seen.errors).toEqual([])
}

describe('the cap of a pool of processes', () => {
  it('holds while processes ignore SIGTERM: each is gone before another one starts', async () => {
    const pool = observedPool({ spawnWorker: stubbornWorker, maxSessions: 2, killMs: 200 })
    const visitors = ['ada', 'ben', 'cleo', 'dan', 'eve', 'fay']
    for (const visitor of visitors) expect(await pool.ask(visitor, visitor)).toBe(visitor)

    expect(pool.seen.pids).toHaveLength(visitors.length)
    expect(pool.seen.mostAlive).toBe(2)
    await expectNoneLeft(pool)
  })

  it('holds while starts hang and ignore SIGTERM', async () => {
    const pool = observedPool({ spawnWorker: hangingWorker, maxSessions: 2, startMs: 200, killMs: 200 })
    const outcomes = await Promise.allSettled(['ada', 'ben', 'cleo', 'dan'].map((id) => pool.ask(id, id)))

    const failure = expect.objectContaining({ message: 'the process ended before it was ready' })
    expect(outcomes).toEqual(outcomes.map(() => ({ status: 'rejected', reason: failure })))
    expect(pool.seen.pids).toHaveLength(4)
    expect(pool.seen.mostAlive).toBe(2)
    await expectNoneLeft(pool)
  })

  it('holds while a start that no call waits for is stopped', async () => {
    const spawnWorker = (id: string) => (id === 'ada' ? hangingWorker() : nodeWorker())
    const pool = observedPool({ spawnWorker, maxSessions: 1, killMs: 200 })
    const abort = new AbortController()
    const left = expect(pool.ask('ada', 'hello', { signal: abort.signal })).rejects.toThrow('left')
    expect(pool.seen.pids).toHaveLength(1)
    abort.abort(new Error('left'))

    expect(await pool.ask('ben', 'hello')).toBe('hello')
    await left
    expect(pool.seen.mostAlive).toBe(1)
    await expectNoneLeft(pool)
  })

  it('holds while a deleted start is stopped, and the call that waits gets another process', async () => {
    let starts = 0
    const spawnWorker = () => (starts++ === 0 ? hangingWorker() : nodeWorker())
    const pool = observedPool({ spawnWorker, maxSessions: 1, killMs: 200 })
    const answer = pool.ask('ada', 'hello')

    expect(pool.workers.delete('ada')).toBe(true)
    expect(await answer).toBe('hello')
    expect(pool.seen.pids).toHaveLength(2)
    expect(pool.seen.mostAlive).toBe(1)
    await expectNoneLeft(pool)
  })

  it('refuses at once, whatever `waitMs`, if all processes are in use', async () => {
    const pool = observedPool({ spawnWorker: () => nodeWorker(), maxSessions: 1 })
    const abort = new AbortController()
    await pool.ask('ada', 'hello')
    const busy = expect(pool.ask('ada', 'never', { signal: abort.signal })).rejects.toThrow('enough')

    const refused = { code: 'ERR_SESSION_REGISTRY_FULL', statusCode: 503 }
    await expect(pool.ask('ben', 'hello', { waitMs: 60_000 })).rejects.toMatchObject(refused)
    abort.abort(new Error('enough'))
    await busy
    expect(await pool.ask('ben', 'hello')).toBe('hello')
    expect(pool.seen.mostAlive).toBe(1)
    await expectNoneLeft(pool)
  })

  it('waits for a process that is starting, and refuses once that is in use', async () => {
    const pool = observedPool({ spawnWorker: () => nodeWorker(), maxSessions: 1 })
    const abort = new AbortController()
    const busy = expect(pool.ask('ada', 'never', { signal: abort.signal })).rejects.toThrow('enough')

    await expect(pool.ask('ben', 'hello')).rejects.toMatchObject({ code: 'ERR_SESSION_REGISTRY_FULL' })
    expect(pool.workers.peek('ada')?.held).toBe(true)
    abort.abort(new Error('enough'))
    await busy
    await expectNoneLeft(pool)
  })
})

describe('a process of a pool', () => {
  it('fails the calls that wait if it ends before it is ready, and the next call starts another', async () => {
    let starts = 0
    const spawnWorker = () => nodeWorker(starts++ === 0 ? 'process.exit(1)' : answering)
    const pool = observedPool({ spawnWorker, maxSessions: 2 })
    const outcomes = await Promise.allSettled([pool.ask('ada', 'one'), pool.ask('ada', 'two')])

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(pool.workers.stats()).toMatchObject({ size: 0, created: 0, disposing: 0 })
    expect(await pool.ask('ada', 'three')).toBe('three')
    await expectNoneLeft(pool)
  })

  it('fails the calls that wait if it cannot be started', async () => {
    const reported = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => reported.mockRestore())
    const spawnWorker = () => spawn('/no/such/program', { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    const pool = observedPool({ spawnWorker, maxSessions: 2 })

    await expect(pool.ask('ada', 'one')).rejects.toMatchObject({ code: 'ENOENT' })
    expect(pool.workers.stats()).toMatchObject({ size: 0, created: 0, disposing: 0 })
    await expectNoneLeft(pool)
  })

  it('fails its request if it crashes, and the one that waits is answered by another process', async () => {
    const pool = observedPool({ spawnWorker: () => nodeWorker(), maxSessions: 1 })
    const crashed = expect(pool.ask('ada', 'crash')).rejects
    const waiting = pool.ask('ada', 'hello')

    await crashed.toMatchObject({ code: 'ERR_SESSION_ENDED', statusCode: 409 })
    expect(await waiting).toBe('hello')
    expect(pool.seen.pids).toHaveLength(2)
    expect(pool.seen.mostAlive).toBe(1)
    await expectNoneLeft(pool)
  })

  it('ends its session if it crashes while idle', async () => {
    const pool = observedPool({ spawnWorker: () => nodeWorker(), maxSessions: 1 })
    await pool.ask('ada', 'hello')
    process.kill(pool.seen.pids[0] ?? 0, 'SIGKILL')

    await expect.poll(() => pool.workers.has('ada'), { timeout: 30_000 }).toBe(false)
    expect(await pool.ask('ada', 'again')).toBe('again')
    await expectNoneLeft(pool)
  })

  it('is replaced after a request that was aborted, whose late answer is dropped', async () => {
    const pool = observedPool({ spawnWorker: () => nodeWorker(), maxSessions: 1 })
    await pool.ask('ada', 'hello')
    const slow = expect(pool.ask('ada', 'slowly', { signal: AbortSignal.timeout(50) })).rejects

    await slow.toMatchObject({ name: 'TimeoutError' })
    expect(await pool.ask('ada', 'quickly')).toBe('quickly')
    expect(pool.seen.pids).toHaveLength(2)
    await expectNoneLeft(pool)
  })

  it('is killed at the last deadline of `close`', async () => {
    const pool = observedPool({ spawnWorker: stubbornWorker, maxSessions: 1, killMs: 600_000 })
    await pool.ask('ada', 'hello')
    await pool.workers.close({ deadlineMs: 0 })

    expect(pool.seen.errors).toMatchObject([{ code: 'ERR_SESSION_DISPOSE_FAILED' }])
    await expect.poll(pool.seen.alive, { timeout: 30_000 }).toEqual([])
  })
})
