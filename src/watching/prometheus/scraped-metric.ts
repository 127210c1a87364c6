import { Counter, Gauge } from 'prom-client'
import { ownFields } from '../../core/options/validate.ts'
import type { Figures } from '../observing/figures.ts'
import type { NamedMetric } from './registered-metrics.ts'
import type { ScrapedMetric } from './scraped-metrics.ts'

/** The figures of one registry at a scrape. */
export interface Reading {
  readonly name: string
  readonly isClosed: boolean
  readonly figures: Figures
}

const combine = {
  sum: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0),
  max: (values: readonly number[]) => Math.max(...values),
  min: (values: readonly number[]) => Math.min(...values),
}

/** Returns a metric of prom-client, not registered yet, that calls `read` at each scrape. */
export function scrapedMetric(spec: ScrapedMetric, read: () => Promise<readonly Reading[]>): NamedMetric {
  const { name, help, kind, label, aggregator } = spec
  const labelNames = label === undefined ? ['registry'] : ['registry', label]
  const config = { name, help, labelNames, aggregator, registers: [] }
  if (kind === 'gauge') {
    const gauge: Gauge = new Gauge({
      ...config,
      async collect() {
        const series = seriesOf(spec, await read())
        gauge.reset() // no series is better than an old figure
        for (const { labels, value } of series) gauge.set(labels, value)
      },
    })
    return { name, metric: gauge }
  }
  const counter: Counter = new Counter({
    ...config,
    async collect() {
      const series = seriesOf(spec, await read())
      counter.reset()
      for (const { labels, value } of series) counter.inc(labels, value)
    },
  })
  return { name, metric: counter }
}

interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

interface FoundSeries {
  readonly labels: Series['labels']
  readonly values: (number | undefined)[]
}

/** Returns the series of a metric. Registries of one name share theirs, if all of them could be read. */
function seriesOf(
  { kind, label, aggregator, samples }: ScrapedMetric,
  readings: readonly Reading[],
): readonly Series[] {
  const found = new Map<string, FoundSeries>()
  for (const { name, isClosed, figures } of readings) {
    // Of a closed registry there is nothing to see, but what it has counted stays.
    if (isClosed && kind === 'gauge') continue
    for (const [value, own] of samples(figures)) {
      const key = JSON.stringify([name, own])
      const labels = ownFields({ registry: name, ...(label && own !== undefined ? { [label]: own } : {}) })
      const series: FoundSeries = found.get(key) ?? { labels, values: [] }
      series.values.push(value)
      found.set(key, series)
    }
  }
  return [...found.values()].flatMap(({ labels, values }) =>
    values.every(isFigure) ? [{ labels, value: combine[aggregator](values) }] : [],
  )
}

/** prom-client throws for anything else, and so does the scrape. */
function isFigure(value: number | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
