import type { EventEmitter } from 'node:events'
import { KeepAlive } from '../core/async/keep-alive.ts'
import { PendingWork } from '../core/async/pending-work.ts'
import type { EventQueue } from '../core/events/event-queue.ts'
import { logLines } from '../core/events/log-lines.ts'
import { Step } from '../core/events/step.ts'
import { noteLifetime } from '../core/session-lifetime.ts'
import { Counters } from '../core/stats.ts'
import { Pruner } from '../core/storing/pruner.ts'
import { realClock } from '../core/time/clock.ts'
import { Watchdog } from '../core/turns/watchdog.ts'
import { CallOutcomes } from '../core/watching/call-outcomes.ts'
import { Archiver } from './archiving/archiver.ts'
import { ArchiverHeartbeat } from './archiving/archiver-heartbeat.ts'
import { ClaimReports } from './archiving/claim-reports.ts'
import { ClaimStore } from './archiving/claim-store.ts'
import { DeadLetterStore } from './archiving/dead-letter-store.ts'
import { Poller } from './archiving/poller.ts'
import { RetryingCaller } from './client/retrying-caller.ts'
import { type CallScript, ShardGuard } from './client/shard-guard.ts'
import { Holds } from './holds/holds.ts'
import { SharedHolds } from './holds/shared-holds.ts'
import { loadSource } from './loading/load-source.ts'
import { SessionLoader } from './loading/loader.ts'
import { OlderIncarnations } from './loading/older-incarnations.ts'
import { maxLifetimeOf, type ResolvedRedisOptions } from './options.ts'
import { SnapshotLog } from './snapshot-log.ts'
import { Keys } from './storage/keys.ts'
import { NearCache } from './storage/near-cache.ts'
import { ServerDate } from './storage/server-date.ts'
import { SessionRemovals } from './storage/session-removals.ts'
import { SessionScan } from './storage/session-scan.ts'
import { SessionStore } from './storage/session-store.ts'
import { Tombstones, tombstoneLifetimeMs } from './storage/tombstones.ts'
import { Deletions } from './storing/deletions.ts'
import { DurableStore } from './storing/durable-store.ts'
import { Saves } from './storing/saves.ts'
import { WriteLeases } from './storing/write-leases.ts'
import { TurnScheduler } from './turns/turn-scheduler.ts'
import { warn } from './warning.ts'

/**
 * The components of a registry, in the order in which they depend on each other.
 *
 *   client/      a call of Redis: repeated, with a deadline, on whichever client the user has
 *   scripts/     what happens in Redis, each transition one Lua script
 *   storage/     sessions by scripts: keys, snapshots, near-cache, iteration
 *   loading/     an absent session: older incarnations first, then one `load` or creation for all callers
 *   holds/       leases of this process on sessions, renewed
 *   turns/       queue, lock, run, save
 *   storing/     the store of the user: read, write, delete, prune
 *   archiving/   expired sessions: poll, claim, archive, acknowledge
 *
 * Above them are the calls of the registry: `operations.ts`, `reads.ts`, `set-calls.ts`,
 * `loading/open-calls.ts`, `turns/turn-calls.ts`; each first passes `call-gate.ts`.
 */
export interface RedisComponents<T> {
  readonly options: ResolvedRedisOptions<T>
  readonly keys: Keys
  /** Loads, creations, saves and archives that are under way. */
  readonly pending: PendingWork
  readonly log: SnapshotLog<T>
  /** The calls of Redis, and of the store, or of `load` and `archive`. */
  readonly backendCalls: CallOutcomes
  readonly storeCalls: CallOutcomes
  readonly store: SessionStore<T>
  readonly removals: SessionRemovals<T>
  readonly tombstones: Tombstones<T>
  /** `undefined` without a store, as the next two. */
  readonly durable: DurableStore<T> | undefined
  readonly saves: Saves<T> | undefined
  readonly pruner: Pruner | undefined
  readonly deletions: Deletions<T>
  readonly scan: SessionScan
  readonly deadLetters: DeadLetterStore
  readonly olderIncarnations: OlderIncarnations<T>
  readonly loader: SessionLoader<T>
  readonly turns: TurnScheduler<T>
  readonly holds: Holds<T>
  readonly archiver: Archiver<T>
  readonly poller: Poller<T>
}

export function wire<T>(owner: EventEmitter, given: ResolvedRedisOptions<T>): RedisComponents<T> {
  noteLifetime(owner, given)
  const backendCalls = new CallOutcomes(realClock)
  const storeCalls = new CallOutcomes(realClock)
  const options = storeCalls.watch<T, ResolvedRedisOptions<T>>(given)
  const step = new Step(owner, { ...options, clock: realClock })
  const { events } = step
  const log = new SnapshotLog(step, new Counters(), options)
  const keys = new Keys(options.prefix, options.shards)
  const maxLifetimeMs = Math.max(maxLifetimeOf(options, options.timeoutMs), tombstoneLifetimeMs(options))
  let hasWarned = false
  const warnOnce = (policy: string) => {
    if (!hasWarned) warnAboutEviction(policy, events, options)
    hasWarned = true
  }
  const pending = new PendingWork(new KeepAlive({ clock: realClock, events }))
  const caller = new RetryingCaller(options.run, options.callTimeoutMs)
  const shardGuard = new ShardGuard(caller, keys, maxLifetimeMs, warnOnce)
  const watchedCall: CallScript = (...args) => backendCalls.track(shardGuard.call(...args))
  const heartbeat = new ArchiverHeartbeat(watchedCall, keys, events, options)
  const { call } = heartbeat
  const cache = new NearCache()
  log.onEnded = (snapshot) => cache.forget(snapshot)
  const store = new SessionStore(call, keys, cache, options)
  const removals = new SessionRemovals(call, keys, cache, options)
  const tombstones = new Tombstones(call, keys, options)
  const date = new ServerDate()
  const claims = new ClaimStore(call, keys, date, events.context, options)
  const scan = new SessionScan(call, keys)
  const deadLetters = new DeadLetterStore(call, keys, options.retentionMs)
  const watchdog = new Watchdog({ clock: realClock, events }, options.maxTurnMs)
  const { storage } = options
  const durable = storage && new DurableStore(storage, date, options)
  const archiver = new Archiver(owner, claims, log, pending, durable, options)
  const hookHost = { owner, step, clock: realClock, pending }
  const pruner =
    storage &&
    new Pruner(hookHost, storage.store, { keepMs: storage.keepMs, timeoutMs: options.archiveTimeoutMs })
  const writeLeases = new WriteLeases(call, keys, options)
  const saves = durable && new Saves(hookHost, durable, writeLeases, options)
  const deletions = new Deletions(claims, options, {
    canClaimForCaller: () => archiver.canClaimForCaller,
    runFirst: (claim) => archiver.addFirst(claim),
  })
  const olderIncarnations = new OlderIncarnations(claims, options, {
    canClaimForCaller: () => archiver.canClaimForCaller,
    archiveFirst: (claim) => archiver.addFirst(claim),
    onClaimable: (id) => poller.onDeadline(keys.shardOf(id), 0),
    onRevived: (id, inMs) => {
      poller.onDeadline(keys.shardOf(id), inMs)
      log.revived(id)
    },
    runningHook: (id) => archiver.calls.running(id),
    runningHookOfDeleted: (id) => archiver.calls.runningOfDeleted(id),
  })
  const source = loadSource(durable, options.load, options.codec)
  const loader = new SessionLoader({ owner, source, store, olderIncarnations, log, pending, options })
  const { context } = events
  const sharedHolds = new SharedHolds(store, { leaseMs: options.leaseMs, context })
  const turns = new TurnScheduler({ owner, store, loader, sharedHolds, log, watchdog, pending, options })
  const holds = new Holds(sharedHolds, loader, log, watchdog)
  const reports = new ClaimReports(log, scan, options.retentionMs)
  const intervalMs = options.archives ? options.intervalMs : Number.POSITIVE_INFINITY
  const poller = new Poller(claims, archiver, options.shards, intervalMs, {
    context,
    claimableUntil: () => heartbeat.claimableUntil(),
    onClaimed: (shard, claimed) => {
      reports.onClaimed(shard, claimed)
      pruner?.pruneIfDue(claimed.now)
    },
    onSwept: (claimed, startedAt) => reports.onSwept(claimed, startedAt),
    onFailed: (error) => reports.onFailed(error),
  })
  store.onDeadline = (shard, inMs) => poller.onDeadline(shard, inMs)
  archiver.onCapacity = (due) => {
    if (due === undefined) poller.resume()
    else poller.onDeadline(due.shard, due.inMs)
  }
  archiver.onSettled = (id) => olderIncarnations.wake(id)
  archiver.deletions.onSettled = (incarnation, error) => deletions.onSettled(incarnation, error)
  writeLeases.onReleased = (shard) => poller.onDeadline(shard, 0)
  if (durable !== undefined) {
    archiver.onLost = (claim) => {
      void durable
        .whenSettled(claim.id, options.leaseMs)
        .then(() => writeLeases.end(claim, claim.token, undefined))
    }
  }
  return {
    options,
    keys,
    pending,
    log,
    backendCalls,
    storeCalls,
    store,
    removals,
    tombstones,
    durable,
    saves,
    pruner,
    deletions,
    scan,
    deadLetters,
    olderIncarnations,
    loader,
    turns,
    holds,
    archiver,
    poller,
  }
}

/** Under any other policy, Redis may evict the deadlines of a whole shard. */
function warnAboutEviction<T>(policy: string, events: EventQueue, { logger }: ResolvedRedisOptions<T>): void {
  if (policy === '' || policy === 'noeviction') return
  warn(events, logger, logLines.evictionAllowed.line(policy))
}
