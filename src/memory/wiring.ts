import type { EventEmitter } from 'node:events'
import { KeepAlive } from '../core/async/keep-alive.ts'
import { PendingWork } from '../core/async/pending-work.ts'
import { endedDuringTurnError } from '../core/errors/turn-errors.ts'
import { listenersOf } from '../core/events/listener-tracker.ts'
import { Step } from '../core/events/step.ts'
import { Gate } from '../core/gate.ts'
import { maxTimeoutOf } from '../core/options/store-options.ts'
import { noteLifetime } from '../core/session-lifetime.ts'
import { Counters } from '../core/stats.ts'
import { CallOutcomes } from '../core/watching/call-outcomes.ts'
import { archiveByHook } from './archiving/archive-hook.ts'
import { Archiver } from './archiving/archiver.ts'
import { Capacity } from './capacity.ts'
import { Disposer } from './disposal/disposer.ts'
import {
  creationObserved,
  creationRestricted,
  eventsPending,
  FastPathBlockers,
  openPending,
  placesReserved,
  timerUnarmed,
} from './fast-path/blockers.ts'
import { Lifecycle } from './lifecycle.ts'
import type { LifecycleHooks } from './lifecycle-hooks.ts'
import { loadByHook } from './load-source.ts'
import { SessionLoader } from './loader.ts'
import type { ResolvedOptions } from './options.ts'
import { OwnerLimit } from './owners/owner-limit.ts'
import type { SessionRecord } from './session/session-record.ts'
import { Sessions } from './session/sessions.ts'
import type { Shutdown } from './shutdown.ts'
import { Storage } from './storing/storage.ts'
import { Sweeper } from './sweeper.ts'
import { TurnScheduler } from './turns/turn-scheduler.ts'

/**
 * The components of a registry. Each knows only those above it; what they need of those below stands in
 * {@link wire}.
 */
export interface Components<T> {
  readonly table: Sessions<T>
  readonly counters: Counters
  readonly blockers: FastPathBlockers
  readonly step: Step
  readonly gate: Gate<T>
  readonly lifecycle: Lifecycle<T>
  readonly pending: PendingWork
  readonly sweeper: Sweeper<T>
  readonly archiver: Archiver<T>
  /** `undefined` where values hold nothing. */
  readonly disposer: Disposer<T> | undefined
  /** `undefined` without a store. */
  readonly storage: Storage<T> | undefined
  /** The calls of the store, or of `load` and `archive`. */
  readonly storeCalls: CallOutcomes
  readonly capacity: Capacity<T>
  readonly ownerLimit: OwnerLimit<T>
  readonly loader: SessionLoader<T>
  /** Whether a session that is not in memory is looked for. */
  readonly canLoad: boolean
  readonly turns: TurnScheduler<T>
  /** Present from the call of `close` on. */
  shutdown: Shutdown<T> | undefined
}

/**
 * Puts a registry together: the one place where a component is connected with one that it does not know.
 *
 * ```
 *   at once, with the transition:                    once, at the end of a step that freed a place or an id,
 *                                                    while they wait for that (`Step.follow`):
 *     to be archived ─▶ Archiver                       Capacity ─ is a place free for a call that waits?
 *     created        ─▶ Loader: calls that wait        Shutdown ─ was it the last session, or archive?
 *     can expire     ─▶ Sweeper: its timer
 *     released       ─▶ Shutdown: the session ends
 *     ended in use   ─▶ Turns: their signals abort
 * ```
 *
 * Those on the right only look at the state, so once is enough. Those on the left cannot wait. Calls that
 * wait take hold of a session before a listener of `created` can end it. The interval of the sweep starts
 * anew when a step removes the last session that can expire and creates another. A released session must end
 * before it is used again. The signals of turns abort in order with the events.
 */
export function wire<T>(owner: EventEmitter, given: ResolvedOptions<T>): Components<T> {
  noteLifetime(owner, given)
  const storeCalls = new CallOutcomes(given.clock)
  const options = storeCalls.watch<T, ResolvedOptions<T>>(given)
  const precision = options.maxSessions === Number.POSITIVE_INFINITY ? 'for-sweeps' : 'for-evictions'
  const table = new Sessions<T>(options.timeoutMs, options.maxAgeMs, precision)
  const counters = new Counters()
  const blockers = new FastPathBlockers()
  const step = new Step(owner, options, (isPending) => {
    if (isPending) blockers.block(eventsPending)
    else blockers.unblock(eventsPending)
  })
  const { archive, load } = options
  const isArchiving = archive !== undefined || options.storage !== undefined
  const hooks: LifecycleHooks<T> = {
    archive: isArchiving ? (record, reason) => archiver.start(record, reason) : undefined,
    dispose: options.dispose === undefined ? undefined : (...args) => disposer?.start(...args),
    onCreated: (id, slot) => {
      if (blockers.has(timerUnarmed)) sweeper.updateTimer()
      if (blockers.has(openPending)) loader.onCreated(id, slot)
    },
    onExpirableCountChanged: () => sweeper.updateTimer(),
    onReleased: (slot) => components.shutdown?.onReleased(slot),
    onEndedInUse: (record) => turns.onSessionEnded(record),
    onStoredEnded: (record) => storage?.saver.abort(record, endedDuringTurnError()),
  }
  const maxTimeoutMs = maxTimeoutOf(options.storage)
  const lifecycle = new Lifecycle<T>(table, options.clock, step, counters, hooks, {
    ...options,
    maxTimeoutMs,
  })
  const pending = new PendingWork(new KeepAlive(lifecycle))
  const storage =
    options.storage === undefined
      ? undefined
      : new Storage({ owner, lifecycle, pending }, options.storage, options)
  const sweeper = new Sweeper(lifecycle, options.intervalMs, blockers, () => storage?.pruner.pruneIfDue())
  const archiveHook = storage?.archiveHook ?? archiveByHook(archive, (record) => lifecycle.viewOf(record))
  const host = { owner, step, clock: options.clock, pending }
  const { dispose, disposeTimeoutMs } = options
  const disposer =
    dispose === undefined
      ? undefined
      : new Disposer({ host, lifecycle, blockers }, { dispose, disposeTimeoutMs })
  const onHookSettled = (record: SessionRecord<T>) => disposer?.ready(record)
  const archiver = new Archiver({ owner, lifecycle, pending, blockers, onHookSettled }, archiveHook, options)
  const leaving = [isArchiving ? archiver : undefined, disposer].filter((part) => part !== undefined)
  const ownerLimit = new OwnerLimit(lifecycle, options)
  const capacity = new Capacity(lifecycle, blockers, options, leaving)
  const deletions = storage?.deletions
  const loaderComponents = {
    owner,
    lifecycle,
    archiver,
    disposer,
    deletions,
    capacity,
    ownerLimit,
    blockers,
    pending,
  }
  const loader = new SessionLoader(loaderComponents, storage?.loadSource ?? loadByHook(load), options)
  const turns = new TurnScheduler({ owner, lifecycle, loader, archiver, disposer, storage }, options)
  const components: Components<T> = {
    table,
    counters,
    blockers,
    step,
    gate: new Gate(),
    lifecycle,
    pending,
    sweeper,
    archiver,
    disposer,
    storage,
    storeCalls,
    capacity,
    ownerLimit,
    loader,
    canLoad: load !== undefined || storage !== undefined,
    turns,
    shutdown: undefined,
  }
  if (disposer !== undefined) blockers.block(placesReserved)
  if (options.logger !== undefined) blockers.block(creationObserved)
  if (components.canLoad) blockers.block(creationRestricted)
  listenersOf(owner).onFirstListener('created', () => blockers.block(creationObserved))
  return components
}
