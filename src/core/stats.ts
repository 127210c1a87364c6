import type { EndReason } from './end-reason.ts'

/** What the last sweep did. */
export interface LastSweep {
  /** Epoch milliseconds of its end. */
  readonly at: number
  readonly expired: number
  readonly durationMs: number
}

/** A registry in numbers. The first three are of this moment; the others count since it was made. */
export interface RegistryStats {
  /** Sessions in the registry, those that are over and not yet swept included. */
  readonly size: number
  readonly held: number
  readonly archiving: number
  /** Sessions created, loaded ones included. */
  readonly created: number
  readonly loaded: number
  readonly expired: number
  readonly evicted: number
  readonly deleted: number
  /** `get`, `getOrCreate` or `open` that found a live session. */
  readonly hits: number
  readonly misses: number
  /** Turns that were started. */
  readonly turns: number
  readonly listenerErrors: number
  /** Tries of the archive hook that failed. */
  readonly archiveFailures: number
  readonly lastSweep: LastSweep | undefined
}

/** The counters that the parts of a registry share. */
export class Counters {
  created = 0
  loaded = 0
  expired = 0
  evicted = 0
  deleted = 0
  hits = 0
  misses = 0
  turns = 0
  archiveFailures = 0
  /** Sessions that ended, and those of them that were archived: for the report of `close`. */
  ended = 0
  archived = 0
  lastSweep: LastSweep | undefined = undefined

  /** The public form, with what is counted elsewhere. */
  snapshot(rest: Pick<RegistryStats, 'size' | 'held' | 'archiving' | 'listenerErrors'>): RegistryStats {
    const { created, loaded, expired, evicted, deleted, hits, misses, turns, archiveFailures, lastSweep } =
      this
    return {
      ...rest,
      created,
      loaded,
      expired,
      evicted,
      deleted,
      hits,
      misses,
      turns,
      archiveFailures,
      lastSweep,
    }
  }

  countEnd(reason: EndReason): void {
    this.ended += 1
    if (reason === 'idle' || reason === 'age') this.expired += 1
    else if (reason === 'capacity') this.evicted += 1
    else if (reason === 'deleted') this.deleted += 1
  }
}
