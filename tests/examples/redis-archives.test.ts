import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { appendTo } from '../../examples/redis-archive-log.ts'
import type { ArchiveSession } from '../../src/index.ts'
import { RedisSessionRegistry } from '../../src/redis/index.ts'
import { describeOnOwnRedis, describeOnRedis, testClient, uniquePrefix } from '../support/redis-suite.ts'
import { Running } from './running.ts'

describeOnOwnRedis('examples/redis-chat-server.ts', {}, (redis) => {
  it('archives before its first request, answers what it has accepted, and leaves the rest in Redis', {
    timeout: 60_000,
  }, async () => {
    const folder = await temporaryFolder()
    const observer = new RedisSessionRegistry<string[]>({
      client: await testClient('redis', redis.url),
      prefix: 'chats',
      archives: false,
    })
    await observer.set('/ben', ['hello'], { timeoutMs: 50 })
    const server = new Running('examples/redis-chat-server.ts', { REDIS_URL: redis.url, ARCHIVE: folder })
    const [, port] = await server.printed(/port: (\d+)/)

    await expect
      .poll(() => archivesIn(folder), { timeout: 20_000 })
      .toEqual([{ id: '/ben', reason: 'idle', value: ['hello'] }])

    const say = async (text: string) =>
      (await fetch(`http://127.0.0.1:${port}/ada?say=${text}`, { headers: { connection: 'close' } })).text()
    expect(await say('hello')).toBe('you said: hello')
    const underWay = say('again')
    await expect.poll(() => isLocked(observer, '/ada')).toBe(true)
    server.child.kill('SIGTERM')

    expect(await underWay).toBe('you said: hello, again')
    expect(await server.ended()).toBe(0)
    expect(await observer.get('/ada')).toEqual(['hello', 'again'])
    await observer.close()
  })
})

describeOnRedis('examples/redis-archive-log.ts', (redis) => {
  it('appends one line for a session whose first archive wrote and was not acknowledged', async () => {
    const folder = await temporaryFolder()
    const file = join(folder, 'log')
    const append = appendTo(file)
    const attempts: number[] = []
    const archive: ArchiveSession<string[]> = async (session, reason, context) => {
      await append(session, reason, context)
      attempts.push(context.attempt)
      if (context.attempt === 1) throw new Error('the process was killed here')
    }
    const sessions = new RedisSessionRegistry<string[]>({
      client: await testClient('redis', redis.url),
      prefix: uniquePrefix(),
      timeoutMs: 20,
      create: () => [],
      archive,
    })
    await sessions.run('ada', ({ value }) => value.push('hello'))
    await expect.poll(() => attempts, { timeout: 10_000 }).toEqual([1, 2])
    await sessions.close()

    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { incarnation: expect.any(String), id: 'ada', reason: 'idle', value: ['hello'] },
    ])
  })
})

/** Returns whether a turn of any process has the lock of a session. */
async function isLocked(sessions: RedisSessionRegistry<string[]>, id: string): Promise<boolean> {
  return sessions.run(id, () => false, { whenBusy: 'reject' }).catch(() => true)
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'session-registry-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function archivesIn(folder: string): Promise<unknown[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8'))))
}
