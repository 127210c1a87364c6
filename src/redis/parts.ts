import type { EventEmitter } from 'node:events'
import { KeepAlive } from '../core/async/keep-alive.ts'
import { PendingWork } from '../core/async/pending-work.ts'
import { EventQueue } from '../core/events/event-queue.ts'
import { Counters } from '../core/stats.ts'
import { realClock } from '../core/time/clock.ts'
import { Watchdog } from '../core/turns/watchdog.ts'
import { ArchiveNote } from './archive-note.ts'
import { Archiver } from './archiver.ts'
import { Backend } from './backend.ts'
import { ClaimReports } from './claim-reports.ts'
import { ClaimStore } from './claim-store.ts'
import { DeadStore } from './dead-sessions.ts'
import { Holds } from './holds.ts'
import { Keys } from './keys.ts'
import { NearCache } from './near-cache.ts'
import { OlderLives } from './older-lives.ts'
import { Opener } from './opener.ts'
import { longestStay, type ResolvedRedisOptions } from './options.ts'
import { Poller } from './poller.ts'
import { SessionStore } from './session-store.ts'
import { ShardConfig } from './shard-config.ts'
import { SharedHolds } from './shared-holds.ts'
import { Teller } from './teller.ts'
import { Turns } from './turns.ts'
import { Walks } from './walks.ts'
import { warn } from './warning.ts'

/** The parts of a registry; each knows those above it. */
export interface RedisParts<T> {
  readonly options: ResolvedRedisOptions<T>
  readonly keys: Keys
  /** Loads, creations, saves and archives that are under way. */
  readonly pending: PendingWork
  readonly teller: Teller<T>
  readonly store: SessionStore<T>
  readonly walks: Walks
  readonly dead: DeadStore
  readonly older: OlderLives<T>
  readonly opener: Opener<T>
  readonly turns: Turns<T>
  readonly holds: Holds<T>
  readonly archiver: Archiver<T>
  readonly poller: Poller<T>
}

export function assemble<T>(owner: EventEmitter, options: ResolvedRedisOptions<T>): RedisParts<T> {
  const announcer = new EventQueue(owner, options.logger, options.logId)
  const teller = new Teller(announcer, new Counters(), options)
  const keys = new Keys(options.prefix, options.shards)
  const horizonMs = longestStay(options, options.timeoutMs)
  let hasWarned = false
  const warnOnce = (policy: string) => {
    if (!hasWarned) warnOfEviction(policy, announcer, options)
    hasWarned = true
  }
  const pending = new PendingWork(new KeepAlive({ clock: realClock, events: announcer }))
  const backend = new Backend(options.run, options.callTimeoutMs)
  const config = new ShardConfig(backend, keys, horizonMs, warnOnce)
  const note = new ArchiveNote(config.call, keys, announcer, options)
  const { call } = note
  const cache = new NearCache()
  teller.whenEnded = (life) => cache.forget(life)
  const store = new SessionStore(call, keys, cache, options)
  const claims = new ClaimStore(call, keys, options)
  const walks = new Walks(call, keys)
  const dead = new DeadStore(call, keys, options.retentionMs)
  const watchdog = new Watchdog({ clock: realClock, events: announcer }, options.maxTurnMs)
  const archiver = new Archiver(owner, claims, teller, pending, options)
  const older = new OlderLives(claims, options, {
    takesWaited: () => archiver.takesWaited,
    take: (claim) => archiver.addFirst(claim),
    waiting: (id) => poller.expect(keys.shardOf(id), 0),
    revived: (id, inMs) => {
      poller.expect(keys.shardOf(id), inMs)
      teller.revived(id)
    },
    hookUnderWay: (id) => archiver.hookUnderWay(id),
    deletedHookUnderWay: (id) => archiver.deletedHookUnderWay(id),
  })
  const opener = new Opener({ owner, store, older, teller, pending, options })
  const { context } = announcer
  const sharedHolds = new SharedHolds(store, { leaseMs: options.leaseMs, context })
  const turns = new Turns({ owner, store, opener, sharedHolds, teller, watchdog, pending, options })
  const holds = new Holds(sharedHolds, opener, teller, watchdog)
  const reports = new ClaimReports(teller, walks, options.retentionMs)
  const intervalMs = options.archives ? options.intervalMs : Number.POSITIVE_INFINITY
  const poller = new Poller(claims, archiver, options.shards, intervalMs, {
    context,
    claimableUntil: () => note.claimableUntil(),
    claimed: (shard, claimed) => reports.claimed(shard, claimed),
    swept: (claimed, startedAt) => reports.swept(claimed, startedAt),
    failed: (error) => reports.failed(error),
  })
  store.whenScheduled = (shard, inMs) => poller.expect(shard, inMs)
  archiver.whenRoom = (due) => {
    if (due === undefined) poller.resume()
    else poller.expect(due.shard, due.inMs)
  }
  archiver.whenSettled = (id) => older.wake(id)
  return {
    options,
    keys,
    pending,
    teller,
    store,
    walks,
    dead,
    older,
    opener,
    turns,
    holds,
    archiver,
    poller,
  }
}

/** Under any other policy Redis may let the deadlines of a whole shard go. */
function warnOfEviction<T>(policy: string, announcer: EventQueue, { logger }: ResolvedRedisOptions<T>): void {
  if (policy === '' || policy === 'noeviction') return
  const message = `Redis may evict sessions: expected maxmemory-policy to be noeviction, got ${policy}`
  warn(announcer, logger, message, { policy })
}
