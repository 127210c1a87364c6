import { cpus } from 'node:os'
import { type ContenderName, contenderNames, titles } from './contenders.ts'

export interface Reading {
  readonly contender: ContenderName
  readonly processes: number
  readonly perSecond: number
  readonly serverMicroseconds: number
  readonly clientMicroseconds: number
}

export interface Archiving {
  readonly processes: number
  readonly perSecond: number
  readonly serverMicroseconds: number
}

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
  /** How many processes wanted a processor just before. */
  readonly loadBefore: number
  readonly readings: readonly Reading[]
  readonly archivings: readonly Archiving[]
  readonly lateness: Lateness
  /** Bytes per session. */
  readonly memory: ReadonlyMap<ContenderName, number>
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function report(found: Findings): string {
  const { rounds, sessions, inFlight, version, loadBefore, lateness } = found
  const processor = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`
  return `# Redis: figures

${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, Redis ${version} on loopback, ${processor}, shared by the server and all processes.
Made by \`npm run bench:redis\`; medians of ${count(rounds)} rounds, in each of which everything was measured once. Load average before: ${one(loadBefore)};
where it is not near 0, others used the machine too, and every figure is worse than it need be.

## Reads that keep a session alive

${count(sessions)} sessions of 1 KB, ${inFlight} calls in flight per process, node-redis. With 4 processes the processors are
saturated, so the microseconds are the figures to scale from.

${readTable(found)}

- \`get\`: the registry. A value that this process has seen and that has not changed is not sent again; one not yet seen is.
- \`HGETALL\` + \`EXPIRE\`: a hash per session by hand, two commands in one round trip. Nobody is told when a session ends, and
  what it held is gone.
- \`LRANGE\` + \`EXPIRE\`: the commands of LangChain's \`RedisChatMessageHistory\`, emulated; it is not installed here.

## Archiving

${count(sessions)} sessions that are all over at once, with a hook that does nothing: claimed, loaded, handed over, acknowledged and deleted.

${archiveTable(found)}

## Lateness

From the moment a session is over (${count(lateness.timeoutMs)} ms after its last use) until \`archive\` is called: median ${one(lateness.p50)} ms, 99 % within ${one(lateness.p99)} ms, at most ${one(lateness.most)} ms.
Of that, a 128th of the timeout (${one(lateness.timeoutMs / 128)} ms; at most 1 s) is meant: so much later a session is over, for not every read is written down.

## Memory

Bytes of the server per session of 1 KB, its place in the queues included.

${memoryTable(found)}
`
}

function readTable({ readings }: Findings): string {
  const lines = contenderNames.flatMap((contender) =>
    [1, 4].map((processes) => {
      const mine = readings.filter((one) => one.contender === contender && one.processes === processes)
      return [
        titles[contender],
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
  const lines = [1, 4].map((processes) => {
    const mine = archivings.filter((one) => one.processes === processes)
    return [
      String(processes),
      count(median(mine.map(({ perSecond }) => perSecond))),
      one(median(mine.map(({ serverMicroseconds }) => serverMicroseconds))),
    ]
  })
  return table(['processes', 'sessions/s', 'Redis µs/session'], lines)
}

function memoryTable({ memory }: Findings): string {
  return table(
    ['', 'bytes'],
    [...memory].map(([name, bytes]) => [name, count(bytes)]),
  )
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [head, ...lines]
  const widths = head.map((_, column) => Math.max(...all.map((line) => (line[column] ?? '').length)))
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [row(head), rule, ...lines.map(row)].join('\n')
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ')
}

function one(value: number): string {
  return value.toFixed(1)
}
