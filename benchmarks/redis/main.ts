import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { createClient, type RedisClientType } from 'redis'
import { RedisSessionRegistry } from 'session-registry/redis'
import { RedisServer } from '../../tests/support/redis-server.ts'
import { median } from '../median.ts'
import { Processes } from './processes.ts'
import {
  type Archiving,
  archivers,
  type Lateness,
  processCounts,
  quantile,
  type Reading,
  report,
} from './report.ts'
import { serverCpu, serverMemory, serverVersion } from './server-figures.ts'
import { connectMethod, readMethodNames, turnMethodNames, type UseMethodName } from './use-methods.ts'

/**
 * Measures the registry on a Redis server of its own, beside code written by hand. Each round measures every
 * read method once; the report has the medians of the rounds.
 *
 * Environment: ROUNDS (5), SESSIONS (10 000), READS per process and round (30 000).
 */
const { ROUNDS = '5', SESSIONS = '10000', READS = '30000' } = process.env
const rounds = Number(ROUNDS)
const sessions = Number(SESSIONS)
const reads = Number(READS)
const inFlight = 128

const [loadBefore = Number.NaN] = loadavg()
const server = await RedisServer.start()
const admin: RedisClientType = createClient({ url: server.url })
admin.on('error', (error) => console.error(error))
await admin.connect()
try {
  const memory = await measureMemory()
  const readings: Reading[] = []
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`reads and turns, round ${round} of ${rounds}`)
    for (const method of [...readMethodNames, ...turnMethodNames]) {
      for (const processes of processCounts) readings.push(await measureReads(method, processes))
    }
  }
  const archivings: Archiving[] = []
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`archives, round ${round} of ${rounds}`)
    for (const [processes, concurrency] of archivers) {
      archivings.push(await measureArchives(processes, concurrency, round))
    }
  }
  console.log('lateness')
  const lateness = await measureLateness()
  const version = await serverVersion(admin)
  const text = report({
    rounds,
    sessions,
    reads,
    inFlight,
    version,
    loadBefore,
    readings,
    archivings,
    lateness,
    memory,
  })
  await writeFile(new URL('./results.md', import.meta.url), text)
  console.log(text)
} finally {
  admin.destroy()
  await server.stop()
}

/** Returns the server's bytes per session. The sessions stay, for the reads. */
async function measureMemory(): Promise<Map<UseMethodName, number>> {
  const found = new Map<UseMethodName, number>()
  for (const name of [...readMethodNames, ...turnMethodNames]) {
    // These use the sessions of `registry`.
    if (name === 'registry-cold' || name === 'turn' || name === 'idle-turn') continue
    const method = await connectMethod(name, server.url)
    const before = await serverMemory(admin)
    await each(sessions, 64, (index) => method.fill(`visitor-${index}`))
    if (name !== 'get-set') found.set(name, ((await serverMemory(admin)) - before) / sessions)
    await method.close()
  }
  return found
}

async function measureReads(method: UseMethodName, count: number): Promise<Reading> {
  // Only the first read of a value is a cold one.
  const mine = method === 'registry-cold' ? sessions : reads
  const task = { kind: 'read', url: server.url, method, sessions, reads: mine, inFlight } as const
  const processes = await Processes.start(count, task)
  const cpu = await serverCpu(admin)
  const startedAt = performance.now()
  processes.go()
  const measured = await processes.measured()
  const seconds = (performance.now() - startedAt) / 1_000
  const calls = measured.reduce((sum, one) => sum + one.calls, 0)
  const clientCpu = measured.reduce((sum, one) => sum + one.cpuMicroseconds, 0)
  return {
    method,
    processes: count,
    perSecond: calls / seconds,
    serverMicroseconds: ((await serverCpu(admin)) - cpu) / calls,
    clientMicroseconds: clientCpu / calls,
  }
}

/** Measures the archiving of sessions that have all expired before a process polls. */
async function measureArchives(
  count: number,
  concurrency: number | undefined,
  round: number,
): Promise<Archiving> {
  const prefix = `archive-${count}-${concurrency ?? 'by-hand'}-${round}`
  const client = createClient({ url: server.url })
  await client.connect()
  const filler = new RedisSessionRegistry<string[]>({
    client,
    prefix,
    timeoutMs: 1_000,
    intervalMs: Number.POSITIVE_INFINITY,
  })
  const fillByHand = (id: string) =>
    Promise.all([
      client.hSet(`${prefix}:${id}`, { value: '["hello"]' }),
      client.zAdd(`${prefix}:deadlines`, { score: Date.now() + 1_000, value: id }),
    ])
  const fill = (id: string) => filler.set(id, ['hello'])
  await each(sessions, 64, (index) => (concurrency === undefined ? fillByHand : fill)(`visitor-${index}`))
  await wait(1_500)
  const task = { kind: 'archive', url: server.url, prefix, sessions, concurrency } as const
  const processes = await Processes.start(count, task)
  const cpu = await serverCpu(admin)
  const startedAt = performance.now()
  processes.go()
  while (processes.archived < sessions) await wait(2)
  const seconds = (performance.now() - startedAt) / 1_000
  const serverMicroseconds = ((await serverCpu(admin)) - cpu) / sessions
  const settled = processes.measured()
  processes.finish()
  const clientCpu = (await settled).reduce((sum, one) => sum + one.cpuMicroseconds, 0)
  await filler.close()
  client.destroy()
  const clientMicroseconds = clientCpu / sessions
  return {
    processes: count,
    concurrency,
    perSecond: sessions / seconds,
    serverMicroseconds,
    clientMicroseconds,
  }
}

/** Measures the time from the expiry of a session to the call of `archive`, with nothing else to do. */
async function measureLateness(): Promise<Lateness> {
  const timeoutMs = 3_000
  const client = createClient({ url: server.url })
  await client.connect()
  const expiresAt = new Map<string, number>()
  const late: number[] = []
  const registry = new RedisSessionRegistry<string[]>({
    client,
    prefix: 'lateness',
    timeoutMs,
    archive: async ({ id }) => {
      late.push(performance.now() - (expiresAt.get(id) ?? Number.NaN))
    },
  })
  const count = 600
  for (let index = 0; index < count; index += 1) {
    expiresAt.set(`visitor-${index}`, performance.now() + timeoutMs)
    await registry.set(`visitor-${index}`, ['hello'])
    await wait(Math.random() * 20)
  }
  while (late.length < count) await wait(20)
  await registry.close()
  client.destroy()
  return { timeoutMs, p50: median(late), p99: quantile(late, 0.99), most: Math.max(...late) }
}

async function each(
  count: number,
  inParallel: number,
  use: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await use(index)
  }
  await Promise.all(Array.from({ length: inParallel }, worker))
}
