import { pino } from 'pino'
import { historiesInRegistry } from '../chat-server/histories.ts'
import { eliza } from '../chat-server/responder.ts'
import { chatServer } from '../chat-server/server.ts'
import { historiesInMap } from './histories-in-map.ts'

/** The chat server on a `Map` or on the registry, in a process of its own that measures itself when it is asked to. */
export interface Measurement {
  readonly sessions: number
  /** After a full collection: what is really in use. */
  readonly heapBytes: number
}

const [kind, timeoutMs] = process.argv.slice(2)
const logger = pino({ level: 'warn' })
const histories =
  kind === 'map'
    ? historiesInMap()
    : historiesInRegistry({ logger, timeoutMs: Number(timeoutMs), intervalMs: Number(timeoutMs) / 4 })
const app = chatServer(histories, eliza(), logger)

process.on('message', () => {
  globalThis.gc?.()
  const { size } = histories.stats() as { size: number }
  process.send?.({ sessions: size, heapBytes: process.memoryUsage().heapUsed } satisfies Measurement)
})
process.once('SIGTERM', async () => {
  await app.close()
  process.disconnect()
})

process.send?.({ address: await app.listen({ port: 0, host: '127.0.0.1' }) })
