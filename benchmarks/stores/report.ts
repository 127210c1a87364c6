import { cpus } from 'node:os'
import process from 'node:process'
import { count, one, table } from '../markdown-table.ts'
import { median } from '../median.ts'
import type { TurnMethodName } from './turn-methods.ts'

export interface Reading {
  readonly store: string
  /** Length of the history as JSON. */
  readonly bytes: number
  readonly method: TurnMethodName
  readonly round: number
  readonly turnsPerSecond: number
  /** Turns per second that change nothing. */
  readonly unchangedPerSecond: number
}

export interface Findings {
  readonly rounds: number
  readonly batchMs: number
  /** Load average just before the run. */
  readonly loadBefore: number
  readonly sizes: readonly number[]
  readonly readings: readonly Reading[]
}

export function report({ rounds, batchMs, loadBefore, sizes, readings }: Findings): string {
  const processor = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`
  return `# Stores: figures

Written by \`npm run bench:stores\`.

- ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${processor}
- medians of ${count(rounds)} rounds of ${count(batchMs)} ms, the methods alternating in each
- load average before: ${one(loadBefore)}; if it is not near 0, other programs made every figure worse

Turns of one session, one after the other. A turn adds a message to a history of the size, and is durable when
it ends. PostgreSQL is a local server with \`fsync\` off, PGlite is in memory; on a server with a disk
the store takes more of the time, and the registry a smaller share of it.

- **by hand**: \`get\`, \`JSON.parse\`, change, \`JSON.stringify\`, \`put\` on the same store
- **put only**: \`JSON.stringify\` and \`put\` of a history in memory, the least that a durable turn costs
- **overhead**: time of a turn with the registry, as a ratio to the same round by hand and of put only

${sizes.map((bytes) => `## Histories of ${bytes / 1_000} kB\n\n${sizeTable(readings.filter((reading) => reading.bytes === bytes))}\n`).join('\n')}`
}

function sizeTable(readings: readonly Reading[]): string {
  const stores = [...new Set(readings.map(({ store }) => store))]
  const lines = stores.map((store) => {
    const mine = readings.filter((reading) => reading.store === store)
    return [
      store,
      rate(mine, 'put only', 'turnsPerSecond'),
      rate(mine, 'by hand', 'turnsPerSecond'),
      rate(mine, 'registry', 'turnsPerSecond'),
      overhead(mine, 'put only'),
      overhead(mine, 'by hand'),
      microseconds(mine, 'by hand'),
      microseconds(mine, 'registry'),
    ]
  })
  const head = ['', 'put only/s', 'by hand/s', 'registry/s', 'to put only', 'to by hand']
  return table([...head, 'unchanged by hand µs', 'unchanged registry µs'], lines)
}

type Figure = 'turnsPerSecond' | 'unchangedPerSecond'

function valuesOf(readings: readonly Reading[], method: TurnMethodName, figure: Figure): number[] {
  return readings.filter((reading) => reading.method === method).map((reading) => reading[figure])
}

function rate(readings: readonly Reading[], method: TurnMethodName, figure: Figure): string {
  return orDash(count, median(valuesOf(readings, method, figure)))
}

function microseconds(readings: readonly Reading[], method: TurnMethodName): string {
  return orDash(one, 1e6 / median(valuesOf(readings, method, 'unchangedPerSecond')))
}

/** The median of the ratios in each round, as a disturbance affects both. */
function overhead(readings: readonly Reading[], to: TurnMethodName): string {
  const ratios = readings
    .filter(({ method }) => method === 'registry')
    .map(({ round, turnsPerSecond }) => {
      const other = readings.find((reading) => reading.round === round && reading.method === to)
      return (other?.turnsPerSecond ?? Number.NaN) / turnsPerSecond
    })
  return orDash((ratio) => `${ratio.toFixed(2)} ×`, median(ratios))
}

function orDash(format: (value: number) => string, value: number): string {
  return Number.isFinite(value) ? format(value) : '–'
}
