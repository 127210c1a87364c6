import { subscribe } from 'node:diagnostics_channel'
import type { RegistryHealth, RegistryStats, SessionMessages, SessionTraces } from 'session-registry'

/** What is read of a registry at each scrape. */
interface Watched {
  stats(): RegistryStats
  health(): RegistryHealth
}

/**
 * Returns a function that writes the metrics of registries in the text format of Prometheus. The keys are the
 * option `name` of each registry.
 */
export function prometheusText(registries: Readonly<Record<string, Watched>>): () => string {
  const ends = new Map<string, number>()
  const turns = new Map<string, { count: number; seconds: number }>()
  const startedAt = new WeakMap<object, number>()

  subscribe('session-registry:ended', (message) => {
    const { registry, reason } = message as SessionMessages['ended']
    const labels = labelsOf({ registry, reason })
    ends.set(labels, (ends.get(labels) ?? 0) + 1)
  })
  // One object is the message of a turn from its start to its end.
  subscribe('tracing:session-registry:turn:start', (message) => {
    startedAt.set(message as object, performance.now())
  })
  subscribe('tracing:session-registry:turn:asyncEnd', (message) => {
    const started = startedAt.get(message as object)
    if (started === undefined) return // it began before the subscription
    const labels = labelsOf({ registry: (message as SessionTraces['turn']).registry })
    const { count, seconds } = turns.get(labels) ?? { count: 0, seconds: 0 }
    turns.set(labels, { count: count + 1, seconds: seconds + (performance.now() - started) / 1_000 })
  })

  return () => {
    const text = new MetricsText()
    for (const [registry, source] of Object.entries(registries)) {
      const { size, held, archiving, disposing, waiting, created, archiveFailures } = source.stats()
      const states = { active: size - held, held, archiving, disposing }
      for (const [state, n] of Object.entries(states)) {
        text.add('session_registry_sessions', 'gauge', labelsOf({ registry, state }), n)
      }
      const labels = labelsOf({ registry })
      text.add('session_registry_turns_waiting', 'gauge', labels, waiting)
      text.add('session_registry_created_total', 'counter', labels, created)
      text.add('session_registry_archive_failures_total', 'counter', labels, archiveFailures)
      text.add('session_registry_ready', 'gauge', labels, Number(source.health().ready))
    }
    for (const [labels, n] of ends) text.add('session_registry_ended_total', 'counter', labels, n)
    for (const [labels, { count, seconds }] of turns) {
      text.add('session_registry_turn_duration_seconds', 'summary', labels, seconds, '_sum')
      text.add('session_registry_turn_duration_seconds', 'summary', labels, count, '_count')
    }
    return String(text)
  }
}

/** The text format of Prometheus: each metric has its type first, and its samples together. */
class MetricsText {
  readonly #metrics = new Map<string, string[]>()

  add(name: string, type: 'gauge' | 'counter' | 'summary', labels: string, value: number, suffix = ''): void {
    const lines = this.#metrics.get(name) ?? [`# TYPE ${name} ${type}`]
    lines.push(`${name}${suffix}${labels} ${value}`)
    this.#metrics.set(name, lines)
  }

  toString(): string {
    return `${[...this.#metrics.values()].flat().join('\n')}\n`
  }
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)}}`
}
