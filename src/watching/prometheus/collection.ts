import type { Registry, RegistryContentType } from 'prom-client'
import type { Origin } from '../../core/watching/origin.ts'
import { FigureReader } from '../observing/figures.ts'
import type { ObservedRegistry } from '../observing/observed-registry.ts'
import { CountedMetrics } from './counted-metrics.ts'
import { RegisteredMetrics } from './registered-metrics.ts'
import { type Reading, scrapedMetric } from './scraped-metric.ts'
import { scrapedMetrics } from './scraped-metrics.ts'

type Register = Registry<RegistryContentType>

// In the global symbol registry, on the register: the module may be loaded twice, as ESM and CJS or by a hot
// reload, and the names of the metrics can be registered once.
const collectionKey = Symbol.for('session-registry.prometheus')

/** A registry whose metrics are collected, by how many calls. */
interface Collected {
  readonly registry: ObservedRegistry
  readonly reader: FigureReader
  calls: number
}

/**
 * What is collected for one register of prom-client.
 *
 * ```
 *   scraped-metrics.ts   what is read at each scrape, as a table
 *   scraped-metric.ts    one row of it as a metric of prom-client
 *   counted-metrics.ts   what is counted from the channels
 * ```
 */
export class Collection {
  readonly #collected = new Map<Origin, Collected>()
  readonly #counted = new CountedMetrics((origin) => this.#collected.has(origin))
  readonly #metrics: RegisteredMetrics
  #reading: Promise<readonly Reading[]> | undefined = undefined

  /** Returns the collection of a register; a new one if there is none, or the register was cleared. */
  static of(register: Register): Collection {
    const holder = register as { [collectionKey]?: Collection }
    const existing = holder[collectionKey]
    if (existing?.isRegistered === true) return existing
    // Its counts are gone from the register with its metrics.
    existing?.stop()
    const collection = new Collection(register)
    Object.defineProperty(holder, collectionKey, { value: collection, configurable: true })
    return collection
  }

  constructor(register: Register) {
    const scraped = scrapedMetrics.map((metric) => scrapedMetric(metric, () => this.#read()))
    this.#metrics = new RegisteredMetrics(register, [...scraped, ...this.#counted.metrics])
  }

  get isRegistered(): boolean {
    return this.#metrics.areRegistered
  }

  /** Collects registries too. Returns a function that takes back what this call has added. */
  add(registries: ReadonlyMap<Origin, ObservedRegistry>): () => void {
    for (const [origin, registry] of registries) this.#addOne(origin, registry)
    let isUndone = false
    return () => {
      if (isUndone) return
      isUndone = true
      for (const origin of registries.keys()) this.#removeOne(origin)
      if (this.#collected.size === 0) this.stop()
    }
  }

  /** Ends all subscriptions, and takes the metrics out of the register. */
  stop(): void {
    this.#collected.clear()
    this.#counted.stop()
    this.#metrics.remove()
  }

  #addOne(origin: Origin, registry: ObservedRegistry): void {
    const collected = this.#collected.get(origin)
    if (collected !== undefined) {
      collected.calls += 1
      return
    }
    if (!this.#hasName(origin.name)) this.#counted.begin(origin.name)
    this.#collected.set(origin, { registry, reader: new FigureReader(registry), calls: 1 })
  }

  #removeOne(origin: Origin): void {
    const collected = this.#collected.get(origin)
    if (collected === undefined) return
    collected.calls -= 1
    if (collected.calls > 0) return
    this.#collected.delete(origin)
    if (!this.#hasName(origin.name)) this.#counted.remove(origin.name)
  }

  #hasName(name: string): boolean {
    return [...this.#collected.keys()].some((origin) => origin.name === name)
  }

  /** Returns the figures of all registries. All metrics of one scrape share them. */
  #read(): Promise<readonly Reading[]> {
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  #readAll(): Promise<readonly Reading[]> {
    return Promise.all(
      [...this.#collected].map(async ([{ name }, { registry, reader }]) => {
        const figures = await reader.read()
        return { name, isClosed: registry.state === 'closed', figures }
      }),
    )
  }
}
