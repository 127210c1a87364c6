import type { RegistryStats } from '../../core/stats.ts'
import { BoundedRead } from '../observing/bounded-read.ts'
import { codesOf } from './error-codes.ts'
import type { InspectableRegistry } from './inspectable-registry.ts'

/** The longest wait for the figures of a registry, in milliseconds: the page is live without them too. */
const patienceMs = 1_000

/** The figures of a registry, or the code for why there are none now. */
export interface ReadStats {
  readonly stats?: RegistryStats
  readonly problem?: string
}

/** Reads the figures of one registry. On Redis all pages share the round trip that is under way. */
export class StatsReader {
  readonly #stats: BoundedRead<ReadStats>

  constructor(registry: InspectableRegistry) {
    this.#stats = new BoundedRead(() => readStats(registry), patienceMs)
  }

  /** Never rejects. */
  async read(): Promise<ReadStats> {
    return (await this.#stats.read()) ?? { problem: 'no reply yet' }
  }
}

async function readStats(registry: InspectableRegistry): Promise<ReadStats> {
  try {
    return { stats: await registry.stats() }
  } catch (error) {
    return { problem: codesOf(error) }
  }
}
