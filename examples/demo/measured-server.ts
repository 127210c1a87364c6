import { pino } from 'pino'
import { type Histories, historiesInRegistry } from '../chat-server/histories.ts'
import { eliza } from '../chat-server/responder.ts'
import { chatServer } from '../chat-server/server.ts'
import { historiesInMap } from './histories-in-map.ts'
import { historiesInSweptMap } from './histories-in-swept-map.ts'
import { withLookups } from './lookups.ts'

/** The way in which a server of the demo keeps its histories. */
export type Kind = 'map' | 'swept-map' | 'registry'

/** Figures that a server reports on request. */
export interface Measurement {
  readonly sessions: number
  /** Bytes in the heap and in array buffers after a full collection: the memory in use. */
  readonly bytes: number
  /** CPU time since the process began, without the collections of the measurements. Milliseconds. */
  readonly cpuMs: number
}

// The chat server in a process of its own, configured by an argument of the parent.
const { kind, timeoutMs, lookUpMs } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly kind: Kind
  readonly timeoutMs: number
  readonly lookUpMs: number
}
const logger = pino({ level: 'warn' })
const intervalMs = timeoutMs / 4

const made: Record<Kind, () => Histories> = {
  map: historiesInMap,
  'swept-map': () => historiesInSweptMap({ timeoutMs, intervalMs }),
  registry: () => historiesInRegistry({ logger, timeoutMs, intervalMs }),
}
const histories = made[kind]()
const app = chatServer(histories, withLookups(eliza(), lookUpMs), logger)

let collectionMs = 0

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

process.on('message', () => {
  const before = cpuMs()
  globalThis.gc?.()
  collectionMs += cpuMs() - before
  const { size: sessions } = histories.stats() as { size: number }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  process.send?.({
    sessions,
    bytes: heapUsed + arrayBuffers,
    cpuMs: cpuMs() - collectionMs,
  } satisfies Measurement)
})
process.once('SIGTERM', async () => {
  await app.close()
  process.disconnect()
})

process.send?.({ address: await app.listen({ port: 0, host: '127.0.0.1' }) })
