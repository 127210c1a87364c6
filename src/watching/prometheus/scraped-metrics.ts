import { type Figures, sessionStates, sessionsByState } from '../observing/figures.ts'

/** A value, with the value of the metric's own label if it has one. */
type Sample = readonly [value: number | undefined, label?: string]

/** A metric whose values are read at each scrape. */
export interface ScrapedMetric {
  readonly name: string
  readonly help: string
  readonly kind: 'gauge' | 'counter'
  /** The label that it has beside `registry`. */
  readonly label?: string
  /** How the figures of several registries of one name, and of the workers of a cluster, are combined. */
  readonly aggregator: 'sum' | 'max' | 'min'
  /** Returns the samples of one registry; a value that could not be read is `undefined`. */
  samples(figures: Figures): readonly Sample[]
}

const gauges: readonly ScrapedMetric[] = [
  {
    name: 'session_registry_sessions',
    help: 'Sessions by state. On Redis only the active ones are of all processes',
    kind: 'gauge',
    label: 'state',
    aggregator: 'sum',
    samples({ stats }) {
      const states = stats && sessionsByState(stats)
      return sessionStates.map((state) => [states?.[state], state] as const)
    },
  },
  {
    name: 'session_registry_turns_running',
    help: 'Turns that are running, nested ones included',
    kind: 'gauge',
    aggregator: 'sum',
    samples: ({ stats }) => [[stats?.running]],
  },
  {
    name: 'session_registry_turns_waiting',
    help: 'Turns that wait for other turns or for their session',
    kind: 'gauge',
    aggregator: 'sum',
    samples: ({ stats }) => [[stats?.waiting]],
  },
  {
    name: 'session_registry_redis_sessions',
    help: 'Sessions on Redis, of all processes: take the maximum over them',
    kind: 'gauge',
    aggregator: 'max',
    samples: ({ isShared, stats }) => (isShared ? [[stats?.size]] : []),
  },
  {
    name: 'session_registry_redis_dead_sessions',
    help: 'Dead letters on Redis, of all processes: take the maximum over them',
    kind: 'gauge',
    aggregator: 'max',
    samples: ({ isShared, dead }) => (isShared ? [[dead]] : []),
  },
  {
    name: 'session_registry_ready',
    help: '1 if the registry can serve a new session',
    kind: 'gauge',
    aggregator: 'min',
    samples: ({ isReady }) => [[isReady === undefined ? undefined : Number(isReady)]],
  },
]

/** The statistics that count from the construction of a registry, with the words for what they count. */
const counted = {
  created: ['created', 'Sessions created, loaded ones included'],
  loaded: ['loaded', 'Sessions loaded'],
  hits: ['hits', 'Uses of an id that found a live session'],
  misses: ['misses', 'Uses of an id that found no live session'],
  turnTimeouts: ['turn_timeouts', 'Turns that took longer than maxTurnMs'],
  archiveFailures: ['archive_failures', 'Attempts to archive that failed'],
} as const

const counters = Object.entries(counted).map(
  ([statistic, [name, help]]): ScrapedMetric => ({
    name: `session_registry_${name}_total`,
    help,
    kind: 'counter',
    aggregator: 'sum',
    samples: ({ stats }) => [[stats?.[statistic as keyof typeof counted]]],
  }),
)

export const scrapedMetrics: readonly ScrapedMetric[] = [...gauges, ...counters]
