import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from 'redis'
import { RedisSessionRegistry } from 'session-registry/redis'
import { connectMethod, type UseMethodName } from './use-methods.ts'

/**
 * The work of one measured process: it prepares, waits for the start message, works, and sends its figures.
 */
export type Task =
  | {
      readonly kind: 'read'
      readonly url: string
      readonly method: UseMethodName
      readonly sessions: number
      readonly reads: number
      readonly inFlight: number
    }
  | {
      readonly kind: 'archive'
      readonly url: string
      readonly prefix: string
      readonly sessions: number
      /** `archiveConcurrency`; `undefined` for code by hand. */
      readonly concurrency: number | undefined
    }

export interface Measured {
  readonly calls: number
  readonly cpuMicroseconds: number
}

const task = JSON.parse(process.argv[2] ?? '') as Task
// The parent has exited.
process.on('disconnect', () => process.exit())
if (task.kind === 'read') await read(task)
else if (task.concurrency === undefined) await archiveByHand(task)
else await archive(task, task.concurrency)
process.disconnect()

async function read({ url, method, sessions, reads, inFlight }: Task & { kind: 'read' }): Promise<void> {
  let subject = await connectMethod(method, url)
  // Compiles the code, and fills the registry's near-cache.
  await readEach(subject, randomIds(sessions), inFlight)
  if (method === 'registry-cold') {
    await subject.close()
    subject = await connectMethod(method, url)
    await subject.use('unknown')
  }
  const ids: string[] = []
  while (ids.length < reads) ids.push(...randomIds(sessions))
  ids.length = reads
  await ready()
  const cpu = process.cpuUsage()
  await readEach(subject, ids, inFlight)
  done({ calls: reads, cpuMicroseconds: spentSince(cpu) })
  await subject.close()
}

/** Archives until no process has sessions left. */
async function archive({ url, prefix }: Task & { kind: 'archive' }, concurrency: number): Promise<void> {
  const client = createClient({ url })
  await client.connect()
  let calls = 0
  const registry = new RedisSessionRegistry<string[]>({
    client,
    prefix,
    timeoutMs: 1_000,
    archiveConcurrency: concurrency,
    archive: async () => {
      calls += 1
    },
  })
  await ready()
  const cpu = process.cpuUsage()
  await registry.has('unknown')
  await reportUntilFinished(() => calls)
  done({ calls, cpuMicroseconds: spentSince(cpu) })
  await registry.close()
  client.destroy()
}

/**
 * Archives by commands in batches, as written by hand for one process: if it crashes, or there is another,
 * sessions are archived twice, and one that is used meanwhile is lost.
 */
async function archiveByHand({ url, prefix, sessions }: Task & { kind: 'archive' }): Promise<void> {
  const client = createClient({ url })
  await client.connect()
  let calls = 0
  const hook = async (_value: unknown) => {
    calls += 1
  }
  await ready()
  const cpu = process.cpuUsage()
  const finished = reportUntilFinished(() => calls)
  while (calls < sessions) {
    const ids = await client.zRangeByScore(`${prefix}:deadlines`, '-inf', Date.now(), {
      LIMIT: { offset: 0, count: 50 },
    })
    const found = await Promise.all(ids.map((id) => client.hGet(`${prefix}:${id}`, 'value')))
    await Promise.all(found.map((text) => hook(JSON.parse(text ?? 'null'))))
    await Promise.all([
      client.zRem(`${prefix}:deadlines`, ids),
      client.del(ids.map((id) => `${prefix}:${id}`)),
    ])
  }
  await finished
  done({ calls, cpuMicroseconds: spentSince(cpu) })
  client.destroy()
}

/** Sends the number of archives until the parent has enough. */
async function reportUntilFinished(archived: () => number): Promise<void> {
  let isFinished = false
  process.once('message', () => {
    isFinished = true
  })
  while (!isFinished) {
    process.send?.({ archived: archived() })
    await wait(5)
  }
}

async function readEach(
  subject: { use(id: string): Promise<unknown> },
  ids: readonly string[],
  inFlight: number,
): Promise<void> {
  const left = ids.values()
  const reader = async () => {
    for (const id of left) {
      if ((await subject.use(id)) === undefined) throw new Error('a session is missing')
    }
  }
  await Promise.all(Array.from({ length: inFlight }, reader))
}

function randomIds(count: number): string[] {
  const ids = Array.from({ length: count }, (_, index) => `visitor-${index}`)
  for (let last = ids.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1))
    const id = ids[last] as string
    ids[last] = ids[other] as string
    ids[other] = id
  }
  return ids
}

async function ready(): Promise<void> {
  process.send?.({ isReady: true })
  await once(process, 'message')
}

function done(measured: Measured): void {
  process.send?.({ measured })
}

function spentSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}
