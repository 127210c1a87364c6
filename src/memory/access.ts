import type { FullClock } from '../core/clock.ts'
import type { CreateSession } from '../core/hooks.ts'
import { outerTurn } from '../core/outer-turn.ts'
import { closed, needsOpen, noFactory } from '../core/refusals.ts'
import { checkId } from '../core/validate.ts'
import type { RegistryParts } from './parts.ts'
import type { SessionTable } from './table/session-table.ts'
import { noSlot } from './table/slot-page.ts'
import type { TurnRun } from './turn-run.ts'

/** Reading and writing, outside turns: which effect comes after which. */
export class Access<T> {
  readonly #owner: object
  readonly #parts: RegistryParts<T>
  // Two of the parts at hand: the way to them is a part of what each touch costs.
  readonly #table: SessionTable<T>
  readonly #clock: FullClock
  readonly #loads: boolean
  /** With a hook to load or to archive it is not only `close` that can forbid a creation. */
  readonly #hasHooks: boolean

  constructor(
    owner: object,
    parts: RegistryParts<T>,
    hooks: { readonly loads: boolean; readonly archives: boolean },
  ) {
    this.#owner = owner
    this.#parts = parts
    this.#table = parts.table
    this.#clock = parts.lifecycle.clock
    this.#loads = hooks.loads
    this.#hasHooks = hooks.loads || hooks.archives
  }

  /** The live session of an id, touched; `noSlot` where there is none. One that is over is let go, and told. */
  active(id: string): number {
    const slot = this.#table.find(id)
    if (slot === noSlot) {
      checkId(id)
      return noSlot
    }
    if (this.#table.touchLive(slot, this.#clock.now())) return slot
    this.#parts.lifecycle.expire(slot)
    this.#parts.announcer.deliver()
    // A listener may have brought the id back.
    return this.live(id)
  }

  /** The live session of an id, left as it is; `noSlot` where there is none. */
  live(id: string): number {
    const slot = this.#table.find(checkId(id))
    return slot !== noSlot && this.#isLive(slot) ? slot : noSlot
  }

  /** The value of the live session of an id, touched. */
  get(id: string): T | undefined {
    const slot = this.active(id)
    if (slot === noSlot) {
      this.#parts.counters.misses += 1
      return undefined
    }
    this.#parts.counters.hits += 1
    return this.#table.valueOf(slot)
  }

  /** The value of the live session of an id, touched, or of a new one. */
  getOrMake(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): T {
    const slot = this.active(id)
    if (slot !== noSlot) {
      this.#parts.counters.hits += 1
      return this.#table.valueOf(slot)
    }
    return this.make(id, create, timeoutMs)
  }

  /** The value of a new session where there is none. Nothing is ended for it before its value is there. */
  make(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): T {
    const { room, lifecycle, announcer, counters } = this.#parts
    checkId(id)
    counters.misses += 1
    try {
      if (this.#mayBeForbidden()) this.#checkCreatable(id)
      if (create === undefined) throw noFactory()
      room.check()
      const createdBefore = counters.created
      const value = create(id)
      if (counters.created !== createdBefore) {
        // The factory has used the registry: whoever came first in there has made the session.
        const slot = this.active(id)
        if (slot !== noSlot) return this.#table.valueOf(slot)
      }
      if (this.#mayBeForbidden()) this.#checkCreatable(id)
      const now = lifecycle.clock.now()
      room.make(now)
      lifecycle.create(id, value, now, timeoutMs)
      // The value itself: its session may be gone again when the listeners have been told of it.
      return value
    } finally {
      announcer.deliver()
    }
  }

  set(id: string, value: T, timeoutMs: number | undefined): void {
    const { room, lifecycle, announcer, archiver, closing } = this.#parts
    try {
      const slot = lifecycle.live(checkId(id))
      if (closing !== undefined) throw closed()
      if (archiver.has(id)) throw needsOpen('is being archived')
      if (slot === noSlot) {
        room.check()
        room.make(lifecycle.clock.now())
      } else {
        lifecycle.end(slot, 'replaced')
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
    const slot = outer?.record?.slot ?? this.active(id)
    if (slot !== noSlot) {
      counters.hits += 1
      resolve(this.#table.valueOf(slot))
      return
    }
    counters.misses += 1
    if (closing !== undefined) throw closed()
    const attach = (opened: number) => {
      this.#table.touch(opened, this.#clock.now())
      resolve(this.#table.valueOf(opened))
    }
    opener.open(id, { create: true, attach, begin: () => {}, absent: () => {}, fail: reject })
    announcer.deliver()
  }

  /** Ends a session, or its archive, and says whether it was live. */
  delete(id: string): boolean {
    const { table, lifecycle, archiver } = this.#parts
    const slot = table.find(id)
    if (slot === noSlot) return archiver.abandon(id)
    const isLive = this.#isLive(slot)
    lifecycle.end(slot, isLive ? 'deleted' : table.expiryReason(slot))
    return isLive
  }

  clear(): number {
    const { table, archiver } = this.#parts
    const ids = [...archiver.ids(), ...table.snapshot().map((slot) => table.idOf(slot))]
    return ids.filter((id) => this.delete(id)).length
  }

  /** The live sessions as they are at the first step; one that has ended meanwhile is passed over. */
  *walk(): Generator<number, void, undefined> {
    const table = this.#table
    const slots = table.snapshot()
    const births = slots.map((slot) => table.birth(slot))
    for (const [at, slot] of slots.entries()) {
      if (table.birth(slot) === births[at] && this.#isLive(slot)) yield slot
    }
  }

  #isLive(slot: number): boolean {
    return !this.#table.isOver(slot, this.#clock.now())
  }

  #mayBeForbidden(): boolean {
    return this.#hasHooks || this.#parts.closing !== undefined
  }

  #checkCreatable(id: string): void {
    if (this.#parts.closing !== undefined) throw closed()
    if (this.#parts.archiver.has(id)) throw needsOpen('is being archived')
    if (this.#loads) throw needsOpen('may have to be loaded')
  }
}
