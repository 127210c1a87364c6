import { cpus } from 'node:os'
import { count, one, table } from '../markdown-table.ts'
import { median } from '../median.ts'
import { readMethodNames, titles, turnMethodNames, type UseMethodName } from './use-methods.ts'

export interface Reading {
  readonly method: UseMethodName
  readonly processes: number
  readonly perSecond: number
  readonly serverMicroseconds: number
  readonly clientMicroseconds: number
}

export interface Archiving {
  readonly processes: number
  /** `archiveConcurrency`; `undefined` for code by hand. */
  readonly concurrency: number | undefined
  readonly perSecond: number
  readonly serverMicroseconds: number
  readonly clientMicroseconds: number
}

/** How many processes read, or have turns, at once. */
export const processCounts = [1, 2, 4]

/** What archives: the number of processes, and the `archiveConcurrency` of each. */
export const archivers: readonly (readonly [processes: number, concurrency: number | undefined])[] = [
  [1, 8],
  [1, 32],
  [1, 128],
  [2, 128],
  [4, 128],
  [1, undefined],
]

export interface Lateness {
  readonly timeoutMs: number
  readonly p50: number
  readonly p99: number
  readonly most: number
}

export interface Findings {
  readonly rounds: number
  readonly sessions: number
  readonly reads: number
  readonly inFlight: number
  readonly version: string
  /** Load average just before the run. */
  readonly loadBefore: number
  readonly readings: readonly Reading[]
  readonly archivings: readonly Archiving[]
  readonly lateness: Lateness
  /** Bytes per session. */
  readonly memory: ReadonlyMap<UseMethodName, number>
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function report(found: Findings): string {
  const { rounds, sessions, inFlight, version, loadBefore, lateness } = found
  const processor = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`
  return `# Redis: figures

Written by \`npm run bench:redis\`.

- ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, Redis ${version} on loopback
- ${processor}, shared by the server and all processes
- medians of ${count(rounds)} rounds
- load average before: ${one(loadBefore)}; if it is not near 0, other programs made every figure worse

## Reads that keep a session alive

${count(sessions)} sessions of 1 KB, ${inFlight} calls in flight per process, node-redis. From 2
processes on the processors of this machine are saturated, so the microseconds are the figures to scale from:
one Redis is saturated by 1 000 000 calls a second, divided by its microseconds per call.

${useTable(found, readMethodNames)}

- \`HGET\` alone: the floor. It keeps no session alive.
- \`get\`: the registry. A value that this process has seen is sent again only if it has changed.
- \`HGETALL\` + \`EXPIRE\`: a hash per session by hand, two commands in one round trip. The end of a session is
  not reported, and its data are lost.
- \`LRANGE\` + \`EXPIRE\`: the commands of LangChain's \`RedisChatMessageHistory\`, emulated.

## Turns

The same sessions: read, changed and saved, about 1 KB each way. \`run\` also takes and releases a lock.

${useTable(found, turnMethodNames)}

- \`GET\`, then \`SET … EX\`: by hand. Nothing keeps two turns of a session apart, and its end is not reported.

## Archiving

${count(sessions)} sessions that expire at once, with a hook that does nothing: claimed, loaded, archived,
acknowledged and deleted.

${archiveTable(found)}

- By hand: \`ZRANGEBYSCORE\`, \`HGET\`, then \`ZREM\` and \`DEL\`, 50 sessions a round trip. Nothing is leased: a
  second process archives the same sessions, and what is saved meanwhile is lost.

## Lateness

From the timeout of a session (${count(lateness.timeoutMs)} ms after its last use) to the call of \`archive\`: median ${one(lateness.p50)} ms,
99 % within ${one(lateness.p99)} ms, at most ${one(lateness.most)} ms. Of that, a 128th of the timeout (${one(lateness.timeoutMs / 128)} ms; at most 1 s)
is intended: a session expires that much later, since not every read is written.

## Memory

Bytes of the server per session of 1 KB, including its place in the queues.

${memoryTable(found)}
`
}

function useTable({ readings }: Findings, methods: readonly UseMethodName[]): string {
  const lines = methods.flatMap((method) =>
    processCounts.map((processes) => {
      const mine = readings.filter((one) => one.method === method && one.processes === processes)
      return [
        titles[method],
        String(processes),
        count(median(mine.map(({ perSecond }) => perSecond))),
        one(median(mine.map(({ serverMicroseconds }) => serverMicroseconds))),
        one(median(mine.map(({ clientMicroseconds }) => clientMicroseconds))),
      ]
    }),
  )
  return table(['', 'processes', 'calls/s', 'Redis µs/call', 'Node µs/call'], lines)
}

function archiveTable({ archivings }: Findings): string {
  const lines = archivers.map(([processes, concurrency]) => {
    const mine = archivings.filter((one) => one.processes === processes && one.concurrency === concurrency)
    return [
      concurrency === undefined ? 'by hand' : `\`archiveConcurrency: ${concurrency}\``,
      String(processes),
      count(median(mine.map(({ perSecond }) => perSecond))),
      one(median(mine.map(({ serverMicroseconds }) => serverMicroseconds))),
      one(median(mine.map(({ clientMicroseconds }) => clientMicroseconds))),
    ]
  })
  return table(['', 'processes', 'sessions/s', 'Redis µs/session', 'Node µs/session'], lines)
}

function memoryTable({ memory }: Findings): string {
  return table(
    ['', 'bytes'],
    [...memory].map(([name, bytes]) => [name, count(bytes)]),
  )
}
