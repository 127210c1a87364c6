import { setTimeout as wait } from 'node:timers/promises'
import { isSessionRegistryError, type Session } from 'session-registry'
import type { Tally } from './worker-jobs.ts'

interface TallyRegistry {
  run<R>(id: string, turn: (session: Session<Tally>) => R): Promise<R>
  get(id: string): Promise<Tally | undefined>
  on(event: 'created', listener: (session: Session<Tally>) => void): unknown
}

/** Visitors who come and go at random, and a record of what they were promised. */
export class Visitors {
  readonly ids: readonly string[]
  /** How many turns of each id were acknowledged. */
  readonly acknowledged = new Map<string, number>()
  /** The number of failed turns, whose storage is unknown. */
  readonly unknown = new Map<string, number>()
  readonly failures: string[] = []
  readonly created = new Map<string, number>()
  #isStopped = false

  constructor(count: number, registries: readonly TallyRegistry[]) {
    this.ids = Array.from({ length: count }, (_, index) => `visitor-${index}`)
    for (const registry of registries) registry.on('created', ({ id }) => add(this.created, id))
  }

  get turns(): number {
    return [...this.acknowledged.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Turns and reads on one registry, this many at once, until `stop`. */
  async use(registry: TallyRegistry, parallel: number): Promise<void> {
    const visit = async () => {
      while (!this.#isStopped) {
        const id = this.ids[Math.floor(Math.random() * this.ids.length)] ?? ''
        try {
          if (Math.random() < 0.3) await registry.get(id)
          else await this.#turn(registry, id)
        } catch (error) {
          this.failures.push(isSessionRegistryError(error) ? error.code : String(error))
        }
        await wait(Math.random() * 3)
      }
    }
    await Promise.all(Array.from({ length: parallel }, visit))
  }

  stop(): void {
    this.#isStopped = true
  }

  async #turn(registry: TallyRegistry, id: string): Promise<void> {
    try {
      await registry.run(id, (session) => {
        session.value.n += 1
      })
      add(this.acknowledged, id)
    } catch (error) {
      add(this.unknown, id)
      throw error
    }
  }
}

function add(counts: Map<string, number>, id: string): void {
  counts.set(id, (counts.get(id) ?? 0) + 1)
}
