import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocket } from 'node:net'
import { createClient } from 'redis'
import { RedisSessionRegistry } from 'session-registry/redis'

/**
 * Runs two chat servers on one Redis. The server that handles the conversation is killed, and the other one
 * continues it.
 *
 * Uses REDIS_URL, or else starts a redis-server of its own and stops it at the end.
 */
const [, , role, redisUrl = ''] = process.argv
if (role === 'server') await serve(redisUrl)
else await converse()

async function serve(url: string): Promise<void> {
  const client = createClient({ url })
  client.on('error', () => {}) // the registry's calls report the failure
  await client.connect()
  const sessions = new RedisSessionRegistry<string[]>({
    client,
    prefix: 'two-processes',
    timeoutMs: 20 * 60_000,
    create: () => [],
  })
  const server = createServer(async (request, response) => {
    const { pathname: visitor, searchParams } = new URL(request.url ?? '', 'http://localhost')
    // Exclusive across processes; what the turn changes is saved when it resolves.
    const said = await sessions.run(visitor, ({ value }) => {
      value.push(searchParams.get('say') ?? '')
      return value.join(', ')
    })
    response.end(`you said: ${said}`)
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
}

async function converse(): Promise<void> {
  const redis = await findRedis()
  const [first, second] = await Promise.all([startServer(redis.url), startServer(redis.url)])
  const visitor = `visitor-${process.pid}`
  try {
    console.log(`first server:  ${await first.ask(visitor, 'hello')}`)
    console.log(`first server:  ${await first.ask(visitor, 'I am Ada')}`)
    first.child.kill('SIGKILL')
    console.log('the first server is killed')
    console.log(`second server: ${await second.ask(visitor, 'do you remember me?')}`)
  } finally {
    for (const { child } of [first, second]) child.kill('SIGKILL')
    redis.server?.kill()
  }
}

async function startServer(url: string) {
  const child = fork(new URL(import.meta.url), ['server', url])
  const [port] = await once(child, 'message')
  const ask = async (visitor: string, say: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/${visitor}?${new URLSearchParams({ say })}`)
    return response.text()
  }
  return { child, ask }
}

async function findRedis(): Promise<{ url: string; server?: ChildProcess }> {
  const { REDIS_URL } = process.env
  if (REDIS_URL !== undefined) return { url: REDIS_URL }
  const probe = createSocket().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const server = spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  })
  await once(server, 'spawn').catch(() => {
    throw new Error('Set REDIS_URL, or install redis-server (Debian: apt-get install redis-server)')
  })
  return { url: `redis://127.0.0.1:${port}`, server }
}
