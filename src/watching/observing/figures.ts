import type { RegistryStats } from '../../core/stats.ts'
import { BoundedRead } from './bounded-read.ts'
import type { ObservedRegistry } from './observed-registry.ts'

/**
 * The longest wait for the figures of a registry on Redis, in milliseconds: less than any usual timeout of a
 * scrape or an export, which would take all other metrics of the process along.
 */
const patienceMs = 3_000

/** The figures of one registry at one moment. `undefined`: could not be read, or does not exist there. */
export interface Figures {
  readonly stats: RegistryStats | undefined
  readonly isReady: boolean | undefined
  /** Whether the registry is on Redis, and its size that of all processes. */
  readonly isShared: boolean
  /** On Redis, the sessions that could not be archived. */
  readonly dead: number | undefined
}

/** Reads the figures of one registry. */
export class FigureReader {
  readonly #isShared: boolean
  readonly #stats: BoundedRead<RegistryStats>
  readonly #ready: BoundedRead<boolean>
  readonly #dead: BoundedRead<number>

  constructor(registry: ObservedRegistry) {
    this.#isShared = typeof registry.deadCount === 'function'
    this.#stats = new BoundedRead(() => registry.stats(), patienceMs)
    this.#ready = new BoundedRead(async () => (await registry.health()).ready, patienceMs)
    this.#dead = new BoundedRead(() => registry.deadCount?.(), patienceMs)
  }

  /** Never rejects. */
  async read(): Promise<Figures> {
    const [stats, isReady, dead] = await Promise.all([
      this.#stats.read(),
      this.#ready.read(),
      this.#dead.read(),
    ])
    return { stats, isReady, isShared: this.#isShared, dead }
  }

  /** {@link read} of the statistics alone. */
  readStats(): Promise<RegistryStats | undefined> {
    return this.#stats.read()
  }
}

/** The states that sessions are counted by. */
export const sessionStates = ['active', 'held', 'archiving', 'disposing'] as const

/**
 * Returns the number of sessions in each state. On Redis `size` is of all processes and `held` of this one,
 * which may hold a session that is not created yet.
 */
export function sessionsByState({
  size,
  held,
  archiving,
  disposing,
}: RegistryStats): Readonly<Record<(typeof sessionStates)[number], number>> {
  return { active: Math.max(0, size - held), held, archiving, disposing }
}
