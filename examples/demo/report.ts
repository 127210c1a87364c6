import type { Measurement } from './measured-server.ts'
import type { Traffic } from './traffic.ts'

/** The measurements of one server. */
export interface Reading extends Traffic {
  readonly name: string
  readonly before: Measurement
  /** One measurement for each second of traffic. */
  readonly readings: readonly Measurement[]
  /** A measurement some time after the last visitor has left. */
  readonly left: Measurement
}

const megabytes = ({ bytes }: Measurement) => bytes / 1e6

const csi = '\u001b['
/** Colours of the servers, in their order: red, yellow, blue. */
const colors = [31, 33, 34]

/**
 * A plot of memory over time: a letter for each server, in colour if `isColored`, and four columns for each
 * measurement.
 */
export function plotOf(all: readonly Reading[], { height = 12, isColored = false } = {}): string {
  const series = all.map(({ before, readings, left }) => [before, ...readings, left].map(megabytes))
  const most = Math.max(...series.flat())
  const rowOf = (value: number) => Math.round((value / most) * height)
  const marks = all.map(({ name }, place) => {
    const letter = name[0] ?? '?'
    return isColored ? `${csi}${colors[place % colors.length]}m${letter}${csi}0m` : letter
  })
  const lines = Array.from({ length: height + 1 }, (_, fromTop) => {
    const row = height - fromTop
    const cells = (series[0] ?? []).map((_first, column) => {
      // Where several servers coincide, the last one is shown.
      const place = series.findLastIndex((values) => rowOf(values[column] ?? 0) === row)
      return (marks[place] ?? ' ').repeat(4)
    })
    return `${((row / height) * most).toFixed(0).padStart(6)} |${cells.join('')}`.trimEnd()
  })
  const legend = all.map(({ name }, place) => `${marks[place]} ${name}`).join('   ')
  return `${lines.join('\n')}\n\n       ${legend}   (on the right: after all have left)`
}

const columns: readonly [heading: string, cell: (reading: Reading) => string][] = [
  ['', ({ name }) => name],
  ['answers', ({ answered }) => String(answered)],
  ['of them lost', ({ lost }) => String(lost)],
  ['sessions at most', ({ readings }) => String(Math.max(...readings.map(({ sessions }) => sessions)))],
  ['after all left', ({ left }) => String(left.sessions)],
  ['MB at most', ({ readings }) => Math.max(...readings.map(megabytes)).toFixed(0)],
  ['after all left', ({ left }) => megabytes(left).toFixed(0)],
  [
    'CPU ms/request',
    ({ before, left, answered }) => ((left.cpuMs - before.cpuMs) / Math.max(answered, 1)).toFixed(2),
  ],
]

export function tableOf(all: readonly Reading[]): string {
  const rows = [
    columns.map(([heading]) => heading),
    ...all.map((one) => columns.map(([, cell]) => cell(one))),
  ]
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      return cells.join('  ').trimEnd()
    })
    .join('\n')
}
