import { isThenable } from '../../core/async/is-thenable.ts'
import type { RegistryStats } from '../../core/stats.ts'
import { realClock, Timer } from '../../core/time/clock.ts'
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
  readonly #registry: InspectableRegistry
  #pending: Promise<ReadStats> | undefined

  constructor(registry: InspectableRegistry) {
    this.#registry = registry
  }

  /** Never rejects. */
  async read(): Promise<ReadStats> {
    if (this.#pending === undefined) {
      try {
        const stats = this.#registry.stats()
        if (!isThenable(stats)) return { stats: stats as RegistryStats }
        this.#pending = Promise.resolve(stats as Promise<RegistryStats>)
          .then(
            (stats) => ({ stats }),
            (error) => ({ problem: codesOf(error) }),
          )
          .finally(() => {
            this.#pending = undefined
          })
      } catch (error) {
        return { problem: codesOf(error) }
      }
    }
    return withinPatience(this.#pending)
  }
}

function withinPatience(pending: Promise<ReadStats>): Promise<ReadStats> {
  return new Promise((resolve) => {
    const timer = new Timer(realClock, () => resolve({ problem: 'no reply yet' }), patienceMs, {
      keepsAlive: true,
    })
    pending.then((read) => {
      timer.cancel()
      resolve(read)
    })
  })
}
