import type { EventEmitter } from 'node:events'
import process from 'node:process'
import { Announcer } from '../core/announcer.ts'
import { realClock } from '../core/clock.ts'
import { Counters } from '../core/stats.ts'
import { Watchdog } from '../core/watchdog.ts'
import { Archiver } from './archiver.ts'
import { Backend } from './backend.ts'
import { ClaimStore } from './claim-store.ts'
import { DeadStore } from './dead-sessions.ts'
import { Holds } from './holds.ts'
import { Keys } from './keys.ts'
import { NearCache } from './near-cache.ts'
import { Opener } from './opener.ts'
import { longestStay, type ResolvedRedisOptions } from './options.ts'
import { Poller } from './poller.ts'
import { SessionStore } from './session-store.ts'
import { ShardConfig } from './shard-config.ts'
import { SharedHolds } from './shared-holds.ts'
import { Teller } from './teller.ts'
import { Turns } from './turns.ts'
import { Walks } from './walks.ts'

/** The parts of a registry; each knows those above it. */
export interface RedisParts<T> {
  readonly options: ResolvedRedisOptions<T>
  readonly keys: Keys
  readonly teller: Teller<T>
  readonly store: SessionStore<T>
  readonly walks: Walks
  readonly dead: DeadStore
  readonly opener: Opener<T>
  readonly turns: Turns<T>
  readonly holds: Holds<T>
  readonly archiver: Archiver<T>
  readonly poller: Poller<T>
}

export function assemble<T>(owner: EventEmitter, options: ResolvedRedisOptions<T>): RedisParts<T> {
  const announcer = new Announcer(owner, options.logger, options.logId)
  const teller = new Teller(announcer, new Counters(), options)
  const keys = new Keys(options.prefix, options.shards)
  const horizonMs = longestStay(options, options.timeoutMs)
  let hasWarned = false
  const warn = (policy: string) => {
    if (!hasWarned) warnOfEviction(policy, announcer, options)
    hasWarned = true
  }
  const backend = new Backend(options.run, options.callTimeoutMs)
  const { call } = new ShardConfig(backend, keys, horizonMs, warn)
  const cache = new NearCache()
  teller.whenEnded = (life) => cache.forget(life)
  const store = new SessionStore(call, keys, cache, options)
  const claims = new ClaimStore(call, keys, options)
  const walks = new Walks(call, keys)
  const dead = new DeadStore(call, keys, options.retentionMs)
  const watchdog = new Watchdog({ clock: realClock, announcer }, options.maxTurnMs)
  const opener = new Opener(owner, store, teller, options)
  const { context } = announcer
  const sharedHolds = new SharedHolds(store, { leaseMs: options.leaseMs, context })
  const turns = new Turns({ owner, store, opener, sharedHolds, teller, watchdog, options })
  const holds = new Holds(sharedHolds, teller, watchdog)
  const archiver = new Archiver(owner, claims, teller, opener, options)
  const poller = new Poller(claims, archiver, options.shards, options.intervalMs, {
    context,
    swept: (claimed, startedAt) => {
      if (claimed > 0) void teller.swept(claimed, realClock.now() - startedAt, () => walks.size())
    },
    failed: (error) => teller.failed(error, 'sessions that are over could not be claimed'),
  })
  store.whenScheduled = (shard, inMs) => poller.expect(shard, inMs)
  opener.whenWaiting = (id) => poller.expect(keys.shardOf(id), 0)
  archiver.whenRoom = (due) => {
    if (due === undefined) poller.resume()
    else poller.expect(due.shard, due.inMs)
  }
  return { options, keys, teller, store, walks, dead, opener, turns, holds, archiver, poller }
}

/** Under any other policy Redis may let the deadlines of a whole shard go. */
function warnOfEviction<T>(policy: string, announcer: Announcer, { logger }: ResolvedRedisOptions<T>): void {
  if (policy === '' || policy === 'noeviction') return
  const message = `Redis may evict sessions: expected maxmemory-policy to be noeviction, got ${policy}`
  if (logger === undefined) {
    process.emitWarning(message, { type: 'SessionRegistryWarning' })
    return
  }
  announcer.log({ level: 'warn', message, fields: { policy } })
  announcer.deliver()
}
