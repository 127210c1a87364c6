import type { EventEmitter } from 'node:events'
import { Announcer } from '../core/announcer.ts'
import {
  Concerns,
  creationIsTold,
  creationMayBeForbidden,
  idIsAwaited,
  idsAreArchived,
  timerIsOff,
} from '../core/concerns.ts'
import { KeepAlive } from '../core/keep-alive.ts'
import { PendingWork } from '../core/pending-work.ts'
import { listenedTo } from '../core/registry-emitter.ts'
import { Counters } from '../core/stats.ts'
import { Archiver } from './archiver.ts'
import type { Closing } from './closing.ts'
import { Lifecycle } from './lifecycle.ts'
import { Opener } from './opener.ts'
import type { ResolvedOptions } from './options.ts'
import { Room } from './room.ts'
import { Sweeper } from './sweeper.ts'
import { SessionTable } from './table/session-table.ts'
import { Turns } from './turns.ts'

/** The parts of a registry; each knows those above it. */
export interface RegistryParts<T> {
  readonly table: SessionTable<T>
  readonly counters: Counters
  readonly concerns: Concerns
  readonly announcer: Announcer
  readonly pending: PendingWork
  readonly lifecycle: Lifecycle<T>
  readonly sweeper: Sweeper<T>
  readonly archiver: Archiver<T>
  readonly room: Room<T>
  readonly opener: Opener<T>
  readonly turns: Turns<T>
  /** Present from the moment that the registry is told to close. */
  closing: Closing<T> | undefined
}

/** Puts a registry together: here stands who is told of which transition. */
export function assemble<T>(owner: EventEmitter, options: ResolvedOptions<T>): RegistryParts<T> {
  const archives = options.archive !== undefined
  const order = options.maxSessions === Number.POSITIVE_INFINITY ? 'for-sweeps' : 'for-evictions'
  const table = new SessionTable<T>(options.timeoutMs, options.maxAgeMs, order)
  const counters = new Counters()
  const concerns = new Concerns()
  const announcer = new Announcer(owner, options.logger, options.logId, concerns)
  const lifecycle = new Lifecycle<T>(table, options.clock, announcer, counters, {
    archive: archives
      ? (record, reason) => {
          concerns.raise(idsAreArchived)
          archiver.start(record, reason)
        }
      : undefined,
    arrived: (id, slot) => {
      if (concerns.has(timerIsOff)) sweeper.update()
      if (concerns.has(idIsAwaited)) opener.arrived(id, slot)
    },
    changed: () => sweeper.update(),
    freed: () => room.changed(),
    released: (slot) => parts.closing?.released(slot),
    cutOff: (record, use) => turns.cutOff(record.id, use),
  })
  const sweeper = new Sweeper(lifecycle, options.intervalMs, concerns)
  const pending = new PendingWork(new KeepAlive(lifecycle))
  const archiver = new Archiver(owner, lifecycle, pending, options, () => {
    if (!archiver.isBusy) concerns.settle(idsAreArchived)
    room.changed()
    parts.closing?.check()
  })
  const room = new Room(lifecycle, options, archives ? archiver : undefined)
  const opener = new Opener({ owner, lifecycle, archiver, room, concerns, pending }, options)
  const turns = new Turns(owner, lifecycle, opener, archiver, options)
  if (options.logger !== undefined) concerns.raise(creationIsTold)
  listenedTo(owner).onFirst('created', () => concerns.raise(creationIsTold))
  if (options.load !== undefined) concerns.raise(creationMayBeForbidden)
  const parts: RegistryParts<T> = {
    table,
    counters,
    concerns,
    announcer,
    pending,
    lifecycle,
    sweeper,
    archiver,
    room,
    opener,
    turns,
    closing: undefined,
  }
  return parts
}
