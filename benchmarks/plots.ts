import { mkdir, writeFile } from 'node:fs/promises'
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { contenderNames } from './contenders.ts'
import type { Figures } from './figures.ts'

const folder = new URL('plots/', import.meta.url)

interface Bar {
  readonly contender: string
  readonly value: number
}

const ended = contenderNames.filter((name) => name !== 'baseline')

/** Writes the plots that docs/performance.md links to. */
export async function writePlots(figures: Figures): Promise<void> {
  const size = 1_000_000
  await mkdir(folder, { recursive: true })
  await write('get-or-create.svg', {
    title: 'getOrCreate of a live session, 1 000 000 sessions: ns (log scale)',
    bars: contenderNames.map((contender) => ({
      contender,
      value: figures.of('live-sessions', contender, size, 'touchNs'),
    })),
    isLog: true,
  })
  await write('event-loop-blocked.svg', {
    title: '1 000 000 sessions due at once: longest time that the event loop was blocked, ms (log scale)',
    bars: [
      { contender: 'idle machine', value: figures.of('control', 'baseline', 0, 'longestBlockMs') },
      ...ended
        .filter((name) => Number.isFinite(figures.of('mass-expiry', name, size, 'goneAfterMs')))
        .map((contender) => ({
          contender,
          value: figures.of('mass-expiry', contender, size, 'longestBlockMs'),
        })),
    ],
    isLog: true,
  })
  await write('memory.svg', {
    title: 'Bytes per session beyond key and value, 1 000 000 sessions',
    bars: contenderNames.map((contender) => ({
      contender,
      value: figures.of('creation', contender, size, 'bytesPerSession'),
    })),
    isLog: false,
  })
}

async function write(
  name: string,
  { title, bars, isLog }: { readonly title: string; readonly bars: readonly Bar[]; readonly isLog: boolean },
): Promise<void> {
  const order = bars.map(({ contender }) => contender)
  const measure = {
    field: 'value',
    type: 'quantitative' as const,
    title: null,
    scale: isLog ? { type: 'log' as const, domainMin: 1 } : { zero: true },
  }
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, anchor: 'start', fontSize: 13 },
    background: 'white',
    padding: 12,
    width: 460,
    height: { step: 22 },
    data: { values: bars.map((bar) => ({ ...bar, label: label(bar.value) })) },
    encoding: {
      y: { field: 'contender', type: 'nominal', sort: order, title: null, axis: { labelLimit: 160 } },
    },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: {
          x: measure,
          color: {
            condition: { test: "datum.contender === 'session-registry'", value: '#1b6ca8' },
            value: '#b9c4cc',
          },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 4, fontSize: 11 },
        encoding: { x: measure, text: { field: 'label', type: 'nominal' } },
      },
    ],
    config: { view: { stroke: null }, axis: { grid: false } },
  }
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  await writeFile(new URL(name, folder), `${await view.toSVG()}\n`)
}

function label(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US').replaceAll(',', ' ') : value.toFixed(1)
}
