import { mkdir, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from 'redis'
import { isSessionRegistryError } from 'session-registry'
import { RedisSessionRegistry } from 'session-registry/redis'

const { REDIS_URL: url = 'redis://127.0.0.1:6379', ARCHIVE: folder = './archive' } = process.env
await mkdir(folder, { recursive: true })

const client = createClient({ url })
client.on('error', (error) => console.error('redis:', error.message))
await client.connect()

const sessions = new RedisSessionRegistry<string[]>({
  client,
  prefix: 'chats',
  create: () => [],
  timeoutMs: 20 * 60_000,
  leaseMs: 15_000, // a process that is killed blocks its sessions for at most so long
  // Called at least once: a second call replaces the file by an equal one.
  archive: async ({ id, incarnation, value }, reason, { attempt, signal }) => {
    const file = `${folder}/${incarnation}.json`
    const part = `${file}.${attempt}` // a process that is killed leaves a part of it, and no broken archive
    await writeFile(part, JSON.stringify({ id, reason, value }), { signal })
    await rename(part, file)
  },
})
sessions.on('error', (error) => console.error('sessions:', error)) // of work that no call waits for
await sessions.health() // starts to poll: the process archives before its first request

const server = createServer(async (request, response) => {
  const { pathname: visitor, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  try {
    const said = await sessions.run(visitor, async ({ value }, signal) => {
      await wait(200, undefined, { signal }) // in place of your model
      value.push(searchParams.get('say') ?? '')
      return value.join(', ')
    })
    response.end(`you said: ${said}`)
  } catch (error) {
    response.writeHead(isSessionRegistryError(error) ? error.statusCode : 500).end()
  }
})

process.once('SIGTERM', async () => {
  const answered = new Promise((resolve) => server.close(resolve)) // no new connections
  await Promise.race([answered, wait(10_000, undefined, { ref: false })])
  await sessions.close({ deadlineMs: 5_000 }) // the sessions stay in Redis
  await client.close() // an open client keeps the process alive
})

server.listen(0, '127.0.0.1', () => console.log('listening', server.address()))
