import { Gauge } from 'prom-client'
import type { RegistryStats } from 'session-registry'
import type { RedisSessionRegistry } from 'session-registry/redis'

/** Exports the gauges of a registry on Redis. `registry` is the option `name`. Call it once. */
export function exportGauges<T>(registry: string, sessions: RedisSessionRegistry<T>): void {
  let reading: Promise<RegistryStats | undefined> | undefined
  const readStats = () => {
    // The gauges of one scrape share the round trip. Without a reply there are no figures.
    reading ??= sessions
      .stats()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  new Gauge({
    name: 'session_registry_size',
    help: 'Sessions in Redis, of all processes: take the maximum over them',
    labelNames: ['registry'],
    async collect() {
      const stats = await readStats()
      this.reset() // no series is better than an old figure
      if (stats !== undefined) this.set({ registry }, stats.size)
    },
  })
  new Gauge({
    name: 'session_registry_work',
    help: 'What this process does with sessions: take the sum over the processes',
    labelNames: ['registry', 'state'],
    async collect() {
      const stats = await readStats()
      this.reset()
      if (stats === undefined) return
      const { held, running, waiting, archiving } = stats
      for (const [state, n] of Object.entries({ held, running, waiting, archiving })) {
        this.set({ registry, state }, n)
      }
    },
  })
  new Gauge({
    name: 'session_registry_ready',
    help: '1 if this process can serve a new session',
    labelNames: ['registry'],
    async collect() {
      this.set({ registry }, Number((await sessions.health()).ready))
    },
  })
}
