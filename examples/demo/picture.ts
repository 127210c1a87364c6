import type { Reading } from './report.ts'

const width = 760
const height = 360
const left = 64
const right = 236
const top = 56
const bottom = 48

/** Colours of the servers, in their order, which differ in hue and in lightness. */
const colors = ['#c0392b', '#b7791f', '#1f5fa8']

/**
 * An SVG picture of the memory of each server over time, with its answers that were lost: what the README
 * shows.
 */
export function pictureOf(all: readonly Reading[]): string {
  const series = all.map(({ before, readings, left: last }) =>
    [before, ...readings, last].map(({ bytes }) => bytes / 1e6),
  )
  const columns = Math.max(...series.map(({ length }) => length))
  const most = Math.ceil(Math.max(...series.flat()) / 10) * 10
  const x = (column: number) => round(left + ((width - left - right) * column) / (columns - 1))
  const y = (megabytes: number) => round(height - bottom - ((height - top - bottom) * megabytes) / most)

  const step = Math.ceil(most / 50) * 10
  const grid = Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => {
    const at = y(index * step)
    const line = `<line x1="${left}" x2="${x(columns - 1)}" y1="${at}" y2="${at}" stroke="#d8dce2"/>`
    return `${line}${text(left - 8, at + 4, `${index * step} MB`, 'end')}`
  })
  const seconds = Array.from({ length: columns - 1 }, (_, second) => second)
    .filter((second) => second % 5 === 0)
    .map((second) => text(x(second), height - bottom + 20, `${second} s`, 'middle'))
  const end = text(x(columns - 1), height - bottom + 36, 'all have left', 'middle')

  const lines = series.map((values, place) => {
    const points = values.map((value, column) => `${x(column)},${y(value)}`).join(' ')
    return `<polyline points="${points}" fill="none" stroke="${colorOf(place)}" stroke-width="2.5" stroke-linejoin="round"/>`
  })
  const labels = labelHeights(series.map((values) => y(values.at(-1) ?? 0))).map((at, place) => {
    const { name, lost, answered } = all[place] as Reading
    const outcome = `${lost} of ${answered} answers lost`
    const from = x(columns - 1) + 10
    return `<text x="${from}" y="${at}" fill="${colorOf(place)}" font-weight="600">${name}</text>${text(from, at + 16, outcome, 'start')}`
  })

  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img">`,
    `<title>Memory of three chat servers under the same traffic</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${left}" y="28" font-size="15" font-weight="600" fill="#1c2430">Memory of three chat servers under the same traffic</text>`,
    ...grid,
    ...seconds,
    end,
    ...lines,
    ...labels,
    '</svg>',
  ].join('\n')}\n`
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#4a5463">${content}</text>`
}

/** Moves labels apart that would overlap. Returns a height for each, in the order given. */
function labelHeights(wanted: readonly number[]): number[] {
  const heights = [...wanted]
  let free = top
  for (const place of wanted
    .map((_, index) => index)
    .toSorted((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0))) {
    heights[place] = Math.max(wanted[place] ?? 0, free)
    free = (heights[place] ?? 0) + 38
  }
  // The lowest one has to stay inside.
  const over = Math.max(0, free - 38 - (height - bottom - 8))
  return heights.map((one) => round(one - over))
}

const colorOf = (place: number) => colors[place % colors.length] ?? '#000000'

const round = (value: number) => Math.round(value * 10) / 10
