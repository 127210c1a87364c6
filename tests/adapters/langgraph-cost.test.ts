import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { checkpointOf, putOf } from '../support/checkpoints.ts'

/** A thread that must not be looked at. */
function untouchable(): Thread {
  const refuse = () => {
    throw new Error('The thread of another session was looked at')
  }
  // Whether it is a promise is all that the registry may ask.
  const get = (_thread: Thread, key: string | symbol) => (key === 'then' ? undefined : refuse())
  return new Proxy(newThread(), { get, set: refuse, has: refuse, ownKeys: refuse })
}

describe('the end of a thread', () => {
  it.each(['expiry', 'deleteThread'] as const)('by %s reads no other thread', async (way) => {
    const clock = new ManualClock()
    const threads = new SessionRegistry<Thread>({ clock, timeoutMs: 1_000, create: newThread })
    const saver = new SessionSaver({ source: threads })
    const config = await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
    await saver.putWrites(config, [['a', 2]], 'task')
    clock.advance(500)
    for (let n = 0; n < 100; n += 1) threads.getOrCreate(`other ${n}`, untouchable)
    const ended: string[] = []
    threads.on('ended', ({ id }) => ended.push(id))
    if (way === 'deleteThread') await saver.deleteThread('ada')
    else {
      clock.advance(500)
      threads.sweep()
    }
    expect(ended).toEqual(['ada'])
    expect(threads.size).toBe(100)
  })

  it('leaves nothing in the saver: a thread is its session', async () => {
    const threads = new SessionRegistry<Thread>({ create: newThread })
    const saver = new SessionSaver({ source: threads })
    await putOf(saver, { thread_id: 'ada' }, checkpointOf('1', { a: 1 }))
    const thread = threads.get('ada') as Thread
    // Another saver over the same registry knows as much as the first.
    expect(
      await new SessionSaver({ source: threads }).getTuple({ configurable: { thread_id: 'ada' } }),
    ).toEqual(await saver.getTuple({ configurable: { thread_id: 'ada' } }))
    await saver.deleteThread('ada')
    threads.set('ada', structuredClone(thread))
    expect(await saver.getTuple({ configurable: { thread_id: 'ada' } })).toBeDefined()
  })

  it('frees its memory', async () => {
    const script = fileURLToPath(new URL('../support/thread-memory.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--import', 'tsx', script])
    const { before, full, after, left } = JSON.parse(stdout)
    expect(left).toBe(0)
    expect(full - before).toBeGreaterThan(5_000_000)
    expect(after - before).toBeLessThan((full - before) / 10)
  }, 60_000)
})
