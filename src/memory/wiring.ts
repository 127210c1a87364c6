import type { EventEmitter } from 'node:events'
import { KeepAlive } from '../core/async/keep-alive.ts'
import { PendingWork } from '../core/async/pending-work.ts'
import { EventQueue } from '../core/events/event-queue.ts'
import {
  archivesInFlight,
  creationObserved,
  creationRestricted,
  FastPathBlockers,
  openPending,
  timerUnarmed,
} from '../core/events/fast-path-blockers.ts'
import { listenersOf } from '../core/events/listener-tracker.ts'
import { Counters } from '../core/stats.ts'
import { Archiver } from './archiving/archiver.ts'
import { Capacity } from './capacity.ts'
import { Lifecycle } from './lifecycle.ts'
import { SessionLoader } from './loader.ts'
import type { ResolvedOptions } from './options.ts'
import { Sessions } from './session/sessions.ts'
import type { Shutdown } from './shutdown.ts'
import { Sweeper } from './sweeper.ts'
import { TurnScheduler } from './turns/turn-scheduler.ts'

/** The parts of a registry; each knows those above it. */
export interface Components<T> {
  readonly table: Sessions<T>
  readonly counters: Counters
  readonly blockers: FastPathBlockers
  readonly events: EventQueue
  readonly pending: PendingWork
  readonly lifecycle: Lifecycle<T>
  readonly sweeper: Sweeper<T>
  readonly archiver: Archiver<T>
  readonly capacity: Capacity<T>
  readonly loader: SessionLoader<T>
  readonly turns: TurnScheduler<T>
  /** Present from the moment that the registry is told to close. */
  shutdown: Shutdown<T> | undefined
}

/** Puts a registry together: here stands who is told of which transition. */
export function wire<T>(owner: EventEmitter, options: ResolvedOptions<T>): Components<T> {
  const hasArchive = options.archive !== undefined
  const precision = options.maxSessions === Number.POSITIVE_INFINITY ? 'for-sweeps' : 'for-evictions'
  const table = new Sessions<T>(options.timeoutMs, options.maxAgeMs, precision)
  const counters = new Counters()
  const blockers = new FastPathBlockers()
  const events = new EventQueue(owner, options.logger, options.logId, blockers)
  const lifecycle = new Lifecycle<T>(table, options.clock, events, counters, {
    archive: hasArchive
      ? (record, reason) => {
          blockers.block(archivesInFlight)
          archiver.start(record, reason)
        }
      : undefined,
    onCreated: (id, slot) => {
      if (blockers.has(timerUnarmed)) sweeper.updateTimer()
      if (blockers.has(openPending)) loader.onCreated(id, slot)
    },
    onExpirableCountChanged: () => sweeper.updateTimer(),
    onRemoved: () => capacity.onFreed(),
    onReleased: (slot) => components.shutdown?.onReleased(slot),
    onEndedInUse: (record, users) => turns.onSessionEnded(record.id, users),
  })
  const sweeper = new Sweeper(lifecycle, options.intervalMs, blockers)
  const pending = new PendingWork(new KeepAlive(lifecycle))
  const archiver = new Archiver(owner, lifecycle, pending, options, () => {
    if (!archiver.isBusy) blockers.unblock(archivesInFlight)
    capacity.onFreed()
    components.shutdown?.advance()
  })
  const capacity = new Capacity(lifecycle, options, hasArchive ? archiver : undefined)
  const loader = new SessionLoader({ owner, lifecycle, archiver, capacity, blockers, pending }, options)
  const turns = new TurnScheduler(owner, lifecycle, loader, archiver, options)
  if (options.logger !== undefined) blockers.block(creationObserved)
  listenersOf(owner).onFirstListener('created', () => blockers.block(creationObserved))
  if (options.load !== undefined) blockers.block(creationRestricted)
  const components: Components<T> = {
    table,
    counters,
    blockers,
    events,
    pending,
    lifecycle,
    sweeper,
    archiver,
    capacity,
    loader,
    turns,
    shutdown: undefined,
  }
  return components
}
