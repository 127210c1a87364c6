import process from 'node:process'
import { createClient } from 'redis'
import { RedisSessionRegistry } from 'session-registry/redis'

const { REDIS_URL: url } = process.env
if (url === undefined) throw new Error('Set REDIS_URL, such as redis://127.0.0.1:6379')

const client = createClient({ url })
client.on('error', (error) => console.error('redis:', error.message))
await client.connect()

const sessions = new RedisSessionRegistry<string[]>({ client, create: () => [] })

// Any process may handle the next message: the history is in Redis, and turns exclude each other across
// processes.
await sessions.run('ada', (session) => session.value.push('hello'))
console.log(await sessions.get('ada'))

await sessions.delete('ada') // so that the example leaves nothing behind
await sessions.close() // ends this process's work; the sessions stay in Redis, and the client stays open
await client.close()
