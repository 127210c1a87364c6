import { blue, plot, red } from 'asciichart'
import type { Measurement } from './measured-server.ts'

/** What was seen of one server. */
export interface Reading {
  readonly name: string
  readonly seconds: number
  readonly before: Measurement
  readonly readings: readonly Measurement[]
  /** Some time after the last visitor has left. */
  readonly left: Measurement
  readonly answered: number
  readonly visitors: number
  readonly failed: number
}

export function plotOf(onMap: Reading, onRegistry: Reading): string {
  const heaps = [onMap, onRegistry].map(({ before, readings, left }) =>
    [before, ...readings, left].flatMap(({ heapBytes }) => Array(4).fill(heapBytes / 1e6)),
  )
  const legend = `\u001b[31m── Map\u001b[0m   \u001b[34m── SessionRegistry\u001b[0m   (the last point: after everybody has left)`
  const colors = [red, blue]
  const format = (value: number) => value.toFixed(0).padStart(6)
  return `${plot(heaps, { height: 12, min: 0, colors, format })}\n\n       ${legend}`
}

export function tableOf(readings: readonly Reading[]): string {
  const rows = [
    ['', 'visitors', 'requests/s', 'sessions: most', 'after all left', 'heap MB: most', 'after all left'],
    ...readings.map(({ name, seconds, visitors, answered, readings: all, left }) => [
      name,
      String(visitors),
      (answered / seconds).toFixed(0),
      String(Math.max(...all.map(({ sessions }) => sessions))),
      String(left.sessions),
      (Math.max(...all.map(({ heapBytes }) => heapBytes)) / 1e6).toFixed(0),
      (left.heapBytes / 1e6).toFixed(0),
    ]),
  ]
  return rows
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(16) : cell.padStart(17))).join(''))
    .join('\n')
}
