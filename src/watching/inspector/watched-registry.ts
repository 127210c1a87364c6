import { isThenable } from '../../core/async/is-thenable.ts'
import { systemClock } from '../../core/time/clock.ts'
import { inspectSomeOf } from '../../core/watching/bounded-inspection.ts'
import type { InspectedSession } from '../../core/watching/inspected-session.ts'
import type { RegistryHealth } from '../../core/watching/registry-health.ts'
import type { RegistryActivity } from './activity-log.ts'
import { codesOf } from './error-codes.ts'
import { findByRef } from './find-by-ref.ts'
import type { InspectableRegistry } from './inspectable-registry.ts'
import { listSessions, type SessionLists } from './session-lists.ts'
import { type ReadStats, StatsReader } from './stats-reader.ts'

/**
 * Sessions up to which all are inspected. Of more, the registry lists some: each takes a few microseconds,
 * and the event loop is blocked for all of them.
 */
const maxInspected = 1_000

/** Entries of each kind that a registry with more sessions lists. */
const maxOfEachKind = 400

/** A registry on the page. Everything is JSON, and nothing of it is an id, an owner, a value or a message. */
export interface RegistrySnapshot extends SessionLists {
  readonly name: string
  /** Whether its figures come from a server, and `size` is of all processes. */
  readonly isShared: boolean
  /** The code for why figures are missing. */
  readonly problem: string | undefined
  readonly health: RegistryHealth | undefined
  readonly stats: ReadStats['stats']
  /** By reason, since the inspector was made. */
  readonly endsByReason: Readonly<Record<string, number>>
  readonly failureCounts: RegistryActivity['failureCounts']
  readonly lastEnds: readonly object[]
  readonly lastFailures: readonly object[]
}

/** One registry that an inspector shows. */
export class WatchedRegistry {
  readonly #registry: InspectableRegistry
  readonly #name: string
  readonly #activity: RegistryActivity
  readonly #stats: StatsReader
  /** The ids of the sessions that the page shows, by ref. */
  #shown: ReadonlyMap<string, string> = new Map()

  constructor(registry: InspectableRegistry, name: string, activity: RegistryActivity) {
    this.#registry = registry
    this.#name = name
    this.#activity = activity
    this.#stats = new StatsReader(registry)
  }

  /** Never rejects: what cannot be read is missing, and `problem` has the code. */
  async snapshot(): Promise<RegistrySnapshot> {
    const [read, health, inspected] = await Promise.all([this.#stats.read(), this.#health(), this.#inspect()])
    const { stats } = read
    const { endsByReason, failureCounts, ends, failures } = this.#activity
    const now = systemClock.now()
    const shown = listSessions(inspected.sessions)
    this.#shown = shown.ids
    return {
      name: this.#name,
      isShared: inspected.isShared,
      problem: read.problem ?? inspected.problem,
      health,
      stats,
      ...shown.lists,
      endsByReason: Object.fromEntries(endsByReason),
      failureCounts,
      lastEnds: ends.newestFirst().map(({ at, ...end }) => ({ ...end, agoMs: now - at })),
      lastFailures: failures.newestFirst().map(({ at, ...failure }) => ({ ...failure, agoMs: now - at })),
    }
  }

  /** Deletes the session with a ref. Returns whether there was one. */
  async end(ref: string): Promise<boolean> {
    const id = this.#shown.get(ref) ?? (await findByRef(this.#registry, ref))
    return id !== undefined && (await this.#registry.delete(id))
  }

  async #health(): Promise<RegistryHealth | undefined> {
    try {
      return await this.#registry.health()
    } catch {
      return undefined
    }
  }

  async #inspect(): Promise<{ sessions: InspectedSession[]; isShared: boolean; problem?: string }> {
    try {
      const inspectSome = inspectSomeOf(this.#registry)
      if (inspectSome !== undefined) {
        const { size, archiving, disposing } = this.#registry.stats() as NonNullable<ReadStats['stats']>
        if (size + archiving + disposing > maxInspected)
          return { sessions: inspectSome(maxOfEachKind), isShared: false }
      }
      const sessions = this.#registry.inspect()
      return { sessions: await sessions, isShared: isThenable(sessions) }
    } catch (error) {
      return { sessions: [], isShared: false, problem: codesOf(error) }
    }
  }
}
