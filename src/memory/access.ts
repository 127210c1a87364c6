import type { FullClock } from '../core/clock.ts'
import type { CreateSession } from '../core/hooks.ts'
import { outerTurn } from '../core/outer-turn.ts'
import { closed, needsOpen, noFactory } from '../core/refusals.ts'
import { checkId } from '../core/validate.ts'
import type { RegistryParts } from './parts.ts'
import { type SessionRecord, sessionState } from './session-record.ts'
import type { SessionTable } from './session-table.ts'
import type { TurnRun } from './turn-run.ts'

/** Reading and writing, outside turns: which effect comes after which. */
export class Access<T> {
  readonly #owner: object
  readonly #parts: RegistryParts<T>
  // Two of the parts at hand: the way to them is a part of what each touch costs.
  readonly #table: SessionTable<T>
  readonly #clock: FullClock
  readonly #loads: boolean

  constructor(owner: object, parts: RegistryParts<T>, loads: boolean) {
    this.#owner = owner
    this.#parts = parts
    this.#table = parts.table
    this.#clock = parts.lifecycle.clock
    this.#loads = loads
  }

  /** The live record of an id, touched. One that is over is let go, and told. */
  active(id: string): SessionRecord<T> | undefined {
    const record = this.#table.find(id)
    if (record === undefined) {
      checkId(id)
      return undefined
    }
    if (this.#table.touchLive(record, this.#clock.now())) return record
    this.#parts.lifecycle.expire(record)
    this.#parts.announcer.deliver()
    // A listener may have brought the id back.
    return this.live(id)
  }

  /** The live record of an id, left as it is. */
  live(id: string): SessionRecord<T> | undefined {
    const record = this.#table.find(checkId(id))
    return record !== undefined && this.#isLive(record) ? record : undefined
  }

  /** Makes a session where there is none. Nothing is ended for it before its value is there. */
  make(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): SessionRecord<T> {
    const { room, lifecycle, announcer, counters } = this.#parts
    try {
      this.#checkCreatable(id)
      if (create === undefined) throw noFactory()
      room.check()
      const createdBefore = counters.created
      const value = create(id)
      if (counters.created !== createdBefore) {
        // The factory has used the registry: whoever came first in there has made the session.
        const record = this.active(id)
        if (record !== undefined) return record
      }
      this.#checkCreatable(id)
      const now = lifecycle.clock.now()
      room.make(now)
      return lifecycle.create(id, value, now, timeoutMs)
    } finally {
      announcer.deliver()
    }
  }

  set(id: string, value: T, timeoutMs: number | undefined): void {
    const { room, lifecycle, announcer, archiver, closing } = this.#parts
    try {
      const record = lifecycle.live(checkId(id))
      if (closing !== undefined) throw closed()
      if (archiver.has(id)) throw needsOpen('is being archived')
      if (record === undefined) {
        room.check()
        room.make(lifecycle.clock.now())
      } else {
        lifecycle.end(record, 'replaced')
      }
      lifecycle.create(id, value, lifecycle.clock.now(), timeoutMs)
    } finally {
      announcer.deliver()
    }
  }

  /** The value in memory, else loaded, else created; waits where it has to. What is wrong at once is thrown. */
  open(id: string, resolve: (value: T) => void, reject: (error: unknown) => void): void {
    const { counters, opener, closing, announcer } = this.#parts
    const outer = outerTurn<TurnRun<T>, T>(this.#owner, checkId(id))
    const record = outer?.record ?? this.active(id)
    if (record !== undefined) {
      counters.hits += 1
      resolve(record.value)
      return
    }
    counters.misses += 1
    if (closing !== undefined) throw closed()
    const attach = (opened: SessionRecord<T>) => {
      this.#table.touch(opened, this.#clock.now())
      resolve(opened.value)
    }
    opener.open(id, { create: true, attach, begin: () => {}, absent: () => {}, fail: reject })
    announcer.deliver()
  }

  /** Ends a session, or its archive, and says whether it was live. */
  delete(id: string): boolean {
    const { table, lifecycle, archiver } = this.#parts
    const record = table.find(id)
    if (record === undefined) return archiver.abandon(id)
    const isLive = this.#isLive(record)
    lifecycle.end(record, isLive ? 'deleted' : table.expiryReason(record))
    return isLive
  }

  clear(): number {
    const { table, archiver } = this.#parts
    const ids = [...archiver.ids(), ...table.records().map(({ id }) => id)]
    return ids.filter((id) => this.delete(id)).length
  }

  /** The live records as they are at the first step; one that has ended meanwhile is passed over. */
  *walk(): Generator<SessionRecord<T>, void, undefined> {
    for (const record of this.#table.snapshot()) {
      const isInMemory = record.state === sessionState.active || record.state === sessionState.held
      if (isInMemory && this.#isLive(record)) yield record
    }
  }

  #isLive(record: SessionRecord<T>): boolean {
    return !this.#table.isOver(record, this.#clock.now())
  }

  #checkCreatable(id: string): void {
    if (this.#parts.closing !== undefined) throw closed()
    if (this.#parts.archiver.has(id)) throw needsOpen('is being archived')
    if (this.#loads) throw needsOpen('may have to be loaded')
  }
}
