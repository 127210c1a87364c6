import type { EndReason } from './end-reason.ts'

/** The result of the last sweep. */
export interface LastSweep {
  /** Epoch milliseconds of its end. */
  readonly at: number
  readonly expired: number
  readonly durationMs: number
}

/**
 * The figures of a registry. `size`, `held`, `running`, `waiting`, `archiving` and `disposing` are of this
 * moment; the others count since its construction.
 */
export interface RegistryStats {
  /** Sessions in the registry, including expired ones that were not swept yet. */
  readonly size: number
  readonly held: number
  /** Turns that are running, nested ones included: begun, and neither settled nor aborted. */
  readonly running: number
  /** Turns that wait: for other turns, or for their session to be loaded, created or archived. */
  readonly waiting: number
  readonly archiving: number
  /** Values that are being disposed of. */
  readonly disposing: number
  /** Turns that took longer than `maxTurnMs`, whether they then settled within their grace or not. */
  readonly turnTimeouts: number
  /** Sessions created, loaded ones included. */
  readonly created: number
  readonly loaded: number
  readonly expired: number
  readonly evicted: number
  readonly deleted: number
  /** Calls of `get`, `getOrCreate` and `open` that found a live session. */
  readonly hits: number
  readonly misses: number
  /** Turns that were started. */
  readonly turns: number
  readonly listenerErrors: number
  /** Attempts to archive that failed. */
  readonly archiveFailures: number
  readonly lastSweep: LastSweep | undefined
}

/** The counters that the components of a registry share. */
export class Counters {
  created = 0
  loaded = 0
  expired = 0
  evicted = 0
  deleted = 0
  hits = 0
  misses = 0
  turns = 0
  turnTimeouts = 0
  archiveFailures = 0
  /** Sessions that ended, and those of them that were archived: for the report of `close`. */
  ended = 0
  archived = 0
  lastSweep: LastSweep | undefined = undefined

  /** Returns the public form, with the figures that are counted elsewhere. */
  snapshot(
    rest: Pick<
      RegistryStats,
      'size' | 'held' | 'running' | 'waiting' | 'archiving' | 'disposing' | 'listenerErrors'
    >,
  ): RegistryStats {
    const { turnTimeouts, created, loaded, expired, evicted, deleted, hits, misses, turns } = this
    const { archiveFailures, lastSweep } = this
    return {
      ...rest,
      turnTimeouts,
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
