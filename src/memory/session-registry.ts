import { EventEmitter } from 'node:events'
import { Announcer } from '../core/announcer.ts'
import { checkRun } from '../core/check-run.ts'
import type { FullClock } from '../core/clock.ts'
import { SessionRegistryError } from '../core/errors.ts'
import type { SessionEvents } from '../core/events.ts'
import type { Session } from '../core/session.ts'
import type { SessionSource } from '../core/session-source.ts'
import type { RunOptions, Turn } from '../core/turn.ts'
import { checkFunction, checkId, checkNotNegative, checkOptions, checkPositive } from '../core/validate.ts'
import { Archiver } from './archiver.ts'
import { type CloseReport, Closing, closed } from './closing.ts'
import type { Hold } from './hold.ts'
import { Lifecycle } from './lifecycle.ts'
import { noFactory, Opener } from './opener.ts'
import { type CreateSession, resolveOptions, type SessionRegistryOptions } from './options.ts'
import { Room } from './room.ts'
import type { SessionRecord } from './session-record.ts'
import { sessionState } from './session-record.ts'
import { SessionTable } from './session-table.ts'
import { Counters, type RegistryStats } from './stats.ts'
import { Sweeper } from './sweeper.ts'
import { TurnRun } from './turn-run.ts'
import { Turns } from './turns.ts'

/** Options of one call that may create a session. */
export interface CreateOptions {
  /**
   * The idle timeout of the session, if it is created now; on a live one it is ignored.
   *
   * Milliseconds; positive, or `Infinity`.
   *
   * @defaultValue the registry's `timeoutMs`
   */
  readonly timeoutMs?: number | undefined
}

export interface CloseOptions {
  /**
   * How long running turns may take to end, and then archives once more.
   *
   * Milliseconds; zero, positive, or `Infinity`.
   *
   * @defaultValue 10_000
   */
  readonly deadlineMs?: number | undefined
}

/** A creation ends this many sessions that are over, at most: more than come in, so memory cannot grow for want of a timer. */
const sweptPerCreation = 4

const defaultDeadlineMs = 10_000

/**
 * Keeps one value per session id for as long as somebody uses it.
 *
 * @example
 * const registry = new SessionRegistry<string[]>({ timeoutMs: 20 * 60_000, create: () => [] })
 * registry.on('expired', (session) => console.log(`${session.id} said ${session.value.length} things`))
 * registry.getOrCreate('ada').push('hello')
 */
export class SessionRegistry<T>
  extends EventEmitter<SessionEvents<T>>
  implements SessionSource<T>, AsyncDisposable
{
  readonly #clock: FullClock
  readonly #table: SessionTable<T>
  readonly #counters = new Counters()
  readonly #announcer: Announcer
  readonly #lifecycle: Lifecycle<T>
  readonly #sweeper: Sweeper<T>
  readonly #archiver: Archiver<T>
  readonly #room: Room<T>
  readonly #opener: Opener<T>
  readonly #turns: Turns<T>
  readonly #create: CreateSession<T> | undefined
  readonly #loads: boolean
  #closing: Closing<T> | undefined
  #closed: Promise<CloseReport<T>> | undefined

  /** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
  constructor(options?: SessionRegistryOptions<T>) {
    super()
    const resolved = resolveOptions(options)
    const archives = resolved.archive !== undefined
    this.#clock = resolved.clock
    this.#create = resolved.create
    this.#loads = resolved.load !== undefined
    this.#table = new SessionTable(resolved.timeoutMs, resolved.maxAgeMs)
    this.#announcer = new Announcer(this, resolved.logger, resolved.logId)
    this.#lifecycle = new Lifecycle(this.#table, this.#clock, this.#announcer, this.#counters, {
      archive: archives ? (record, reason) => this.#archiver.start(record, reason) : undefined,
      changed: () => this.#sweeper.update(),
      freed: () => this.#room.changed(),
      released: (record) => this.#closing?.released(record),
      cutOff: (record, use) => this.#turns.cutOff(record.id, use),
    })
    this.#sweeper = new Sweeper(this.#lifecycle, resolved.intervalMs)
    this.#archiver = new Archiver(this, this.#lifecycle, resolved, () => {
      this.#room.changed()
      this.#closing?.check()
    })
    this.#room = new Room(
      this.#lifecycle,
      resolved.maxSessions,
      resolved.whenFull,
      archives ? () => this.#archiver.count : undefined,
    )
    this.#opener = new Opener(this, this.#lifecycle, this.#archiver, this.#room, resolved)
    this.#turns = new Turns(this, this.#lifecycle, this.#opener, this.#archiver, resolved.maxTurnMs)
  }

  /** Sessions in the registry: those that are over but not yet swept are counted, those being archived are not. */
  get size(): number {
    return this.#table.size
  }

  /**
   * The value of the live session, or of a new one. Activity.
   *
   * The call's own `create` wins over the registry's. One that throws leaves nothing behind and has evicted nobody.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_NO_FACTORY`,
   * `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_REGISTRY_CLOSED`, and `ERR_SESSION_NEEDS_OPEN` where the session would
   * have to be loaded or is being archived
   */
  getOrCreate(id: string, create?: CreateSession<T>, options?: CreateOptions): T {
    if (create !== undefined) checkFunction('create', create)
    const timeoutMs = options === undefined ? undefined : checkTimeout(options)
    const record = this.#active(id)
    if (record !== undefined) {
      this.#counters.hits += 1
      return record.value
    }
    this.#counters.misses += 1
    try {
      return this.#make(id, create ?? this.#create, timeoutMs).value
    } finally {
      this.#announcer.deliver()
    }
  }

  /**
   * The value of the live session. Activity.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  get(id: string): T | undefined {
    const record = this.#active(id)
    if (record === undefined) {
      this.#counters.misses += 1
      return undefined
    }
    this.#counters.hits += 1
    return record.value
  }

  /**
   * Starts a session with this value. Activity. A live session of the id ends with `'replaced'` and is not archived.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_REGISTRY_FULL`,
   * `ERR_SESSION_REGISTRY_CLOSED`, and `ERR_SESSION_NEEDS_OPEN` while the id is being archived
   */
  set(id: string, value: T, options?: CreateOptions): this {
    const timeoutMs = options === undefined ? undefined : checkTimeout(options)
    checkId(id)
    try {
      const record = this.#lifecycle.live(id)
      if (this.#closing !== undefined) throw closed()
      if (this.#archiver.has(id)) throw needsOpen('is being archived')
      if (record === undefined) {
        this.#sweeper.sweepFew(sweptPerCreation)
        this.#room.check()
        this.#room.make()
      } else {
        this.#lifecycle.end(record, 'replaced')
      }
      this.#lifecycle.create(id, value, timeoutMs)
    } finally {
      this.#announcer.deliver()
    }
    return this
  }

  /**
   * Whether there is a live session; its idle time starts again. Activity.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  touch(id: string): boolean {
    return this.#active(id) !== undefined
  }

  /**
   * The live session with its times. Not activity.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  peek(id: string): Session<T> | undefined {
    const record = this.#table.find(checkId(id))
    return record !== undefined && this.#isLive(record) ? this.#lifecycle.viewOf(record) : undefined
  }

  /**
   * Whether there is a live session. Not activity.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  has(id: string): boolean {
    const record = this.#table.find(checkId(id))
    return record !== undefined && this.#isLive(record)
  }

  /**
   * Ends a session at once, held or being archived or not, and says whether there was one.
   *
   * A running turn's signal is aborted, and waiting turns open anew. Its archive hook is not called; what an earlier
   * archive has stored is yours to remove.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  delete(id: string): boolean {
    const isEnded = this.#delete(checkId(id))
    this.#announcer.deliver()
    this.#closing?.check()
    return isEnded
  }

  /** Deletes all sessions, and says how many there were. */
  clear(): number {
    let count = 0
    for (const record of [...this.#table.records()]) if (this.#delete(record.id)) count += 1
    for (const id of this.#archiver.ids()) if (this.#delete(id)) count += 1
    this.#announcer.deliver()
    this.#closing?.check()
    return count
  }

  /** Lets go, now and in one go, all sessions that are over and not held; says how many ended or went to the archive. */
  sweep(): number {
    if (this.#closing !== undefined) return 0
    const count = this.#sweeper.sweep()
    this.#announcer.deliver()
    return count
  }

  /** The ids of live sessions, least recently active first, as they are at the first step. Not activity. */
  *keys(): Generator<string, void, undefined> {
    for (const record of this.#walk()) yield record.id
  }

  /** The values of live sessions; see {@link keys}. */
  *values(): Generator<T, void, undefined> {
    for (const record of this.#walk()) yield record.value
  }

  /** The live sessions; see {@link keys}. */
  *sessions(): Generator<Session<T>, void, undefined> {
    for (const record of this.#walk()) yield this.#lifecycle.viewOf(record)
  }

  /** Pairs of id and value of live sessions; see {@link keys}. */
  *[Symbol.iterator](): Generator<[id: string, value: T], void, undefined> {
    for (const record of this.#walk()) yield [record.id, record.value]
  }

  stats(): RegistryStats {
    const { created, loaded, expired, evicted, deleted, hits, misses, turns, archiveFailures, lastSweep } =
      this.#counters
    const { listenerErrors } = this.#announcer
    const now = { size: this.size, held: this.#table.heldCount, archiving: this.#archiver.count }
    const ends = { expired, evicted, deleted }
    return {
      ...now,
      created,
      loaded,
      ...ends,
      hits,
      misses,
      turns,
      listenerErrors,
      archiveFailures,
      lastSweep,
    }
  }

  /**
   * The value of the session: in memory, else loaded, else created. Activity.
   *
   * Calls for one id share one `load`. It waits while the id is being archived, and for room at the cap. Rejects with
   * the codes of {@link getOrCreate}, with what `load` or `create` failed with, and with `ERR_SESSION_REENTRANT` in a
   * hook of the same id.
   */
  open(id: string): Promise<T> {
    return new Promise((resolve, reject) => {
      checkId(id)
      const outer = this.#turns.outerTurn(id)
      const record = outer?.record ?? this.#active(id)
      if (record !== undefined) {
        this.#counters.hits += 1
        resolve(record.value)
        return
      }
      this.#counters.misses += 1
      if (this.#closing !== undefined) throw closed()
      const attach = (opened: SessionRecord<T>) => {
        this.#table.touch(opened, this.#clock.now())
        resolve(opened.value)
      }
      this.#opener.open(id, { create: true, attach, begin: () => {}, absent: () => {}, fail: reject })
      this.#announcer.deliver()
    })
  }

  /**
   * Opens the session, holds it, runs `turn`, and releases it. Its end is activity.
   *
   * Turns of one session run one at a time, in the order asked; turns of different sessions side by side. A `run` inside
   * a running turn of the same id joins that turn at once. A turn that throws rejects with that very error; the session
   * lives on. A turn that takes longer than `maxTurnMs` rejects with `ERR_SESSION_TURN_TIMEOUT`.
   *
   * Rejects with the codes of {@link open}, with `ERR_SESSION_BUSY` for `whenBusy: 'reject'`, and with `signal.reason`.
   *
   * @example
   * await registry.run(id, async (session, signal) => {
   *   session.value.push(question)
   *   session.value.push(await answer(session.value, { signal }))
   * })
   */
  run<R>(
    id: string,
    turn: Turn<T, R>,
    options: RunOptions & { readonly create: false },
  ): Promise<R | undefined>
  run<R>(id: string, turn: Turn<T, R>, options?: RunOptions): Promise<R>
  run<R>(id: string, turn: Turn<T, R>, options?: RunOptions): Promise<R | undefined> {
    return new Promise<R | undefined>((resolve, reject) => {
      const { whenBusy, signal, create } = checkRun(id, turn, options)
      if (signal?.aborted === true) throw signal.reason
      const outer = this.#turns.outerTurn(id)
      if (outer === undefined && this.#closing !== undefined && !this.#joinsRunning(id, whenBusy))
        throw closed()
      const settle = { resolve: resolve as (result: unknown) => void, reject }
      this.#turns.start(new TurnRun<T>({ id, turn, whenBusy, create, outer, ...settle }), signal)
      this.#announcer.deliver()
    })
  }

  /**
   * Keeps a live session from ending until the hold is released, or for `maxTurnMs` at most; taken at once.
   *
   * While it is held a session is not idle; releasing the hold is activity. A hold that is never released is taken away
   * after `maxTurnMs`, with an `error` event of `ERR_SESSION_TURN_TIMEOUT`.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  hold(id: string): Hold | undefined {
    const record = this.#active(id)
    return record === undefined || this.#closing !== undefined ? undefined : this.#turns.hold(record)
  }

  /**
   * Refuses new work, waits for running turns, archives every session and ends it with `'closed'`.
   *
   * Turns have until the deadline; then their signals abort and their runs reject. Archives have `deadlineMs` more. It
   * keeps the process alive while it works. Called again, it gives the same promise.
   *
   * Rejects with `ERR_SESSION_OPTION_INVALID`, and then the registry stays open.
   */
  close(options?: CloseOptions): Promise<CloseReport<T>> {
    if (this.#closed !== undefined) return this.#closed
    let deadlineMs: number
    try {
      deadlineMs = checkDeadline(options)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#closed = new Promise((resolve) => {
      const parts = { lifecycle: this.#lifecycle, turns: this.#turns, archiver: this.#archiver }
      this.#closing = new Closing(parts, deadlineMs, resolve)
    })
    this.#sweeper.stop()
    this.#turns.refuseWaiting(closed())
    this.#opener.refuseAll(closed())
    this.#closing?.start()
    this.#announcer.deliver()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The live record of an id, touched. One that is over is let go, and told. */
  #active(id: string): SessionRecord<T> | undefined {
    const record = this.#table.find(id)
    if (record === undefined) {
      checkId(id)
      return undefined
    }
    const now = this.#clock.now()
    if (this.#table.isOver(record, now)) {
      this.#lifecycle.expire(record)
      this.#announcer.deliver()
      // A listener may have brought the id back.
      const successor = this.#table.find(id)
      return successor === undefined || this.#table.isOver(successor, now) ? undefined : successor
    }
    this.#table.touch(record, now)
    return record
  }

  #make(id: string, create: CreateSession<T> | undefined, timeoutMs: number | undefined): SessionRecord<T> {
    this.#checkCreatable(id)
    if (create === undefined) throw noFactory()
    this.#sweeper.sweepFew(sweptPerCreation)
    this.#room.check()
    const value = create(id)
    // The factory may have used the registry: whoever came first in there has made the session.
    const record = this.#active(id)
    if (record !== undefined) return record
    this.#checkCreatable(id)
    this.#room.make()
    return this.#lifecycle.create(id, value, timeoutMs)
  }

  #checkCreatable(id: string): void {
    if (this.#closing !== undefined) throw closed()
    if (this.#archiver.has(id)) throw needsOpen('is being archived')
    if (this.#loads) throw needsOpen('may have to be loaded')
  }

  #delete(id: string): boolean {
    const record = this.#table.find(id)
    if (record === undefined) {
      const archiving = this.#archiver.abandon(id)
      if (archiving !== undefined) this.#lifecycle.finish(archiving, 'deleted')
      return archiving !== undefined
    }
    const isLive = this.#isLive(record)
    this.#lifecycle.end(record, isLive ? 'deleted' : this.#table.expiryReason(record))
    return isLive
  }

  #isLive(record: SessionRecord<T>): boolean {
    return !this.#table.isOver(record, this.#clock.now())
  }

  #joinsRunning(id: string, whenBusy: string): boolean {
    return whenBusy === 'join' && this.#table.find(id)?.use?.running !== undefined
  }

  *#walk(): Generator<SessionRecord<T>, void, undefined> {
    for (const record of this.#table.snapshot()) {
      const isInMemory = record.state === sessionState.active || record.state === sessionState.held
      if (isInMemory && this.#isLive(record)) yield record
    }
  }
}

function checkTimeout(options: CreateOptions): number | undefined {
  const { timeoutMs } = checkOptions('options', options, ['timeoutMs'])
  return timeoutMs === undefined ? undefined : checkPositive('timeoutMs', timeoutMs)
}

function checkDeadline(options: CloseOptions | undefined): number {
  const { deadlineMs = defaultDeadlineMs } = checkOptions('options', options, ['deadlineMs'])
  return checkNotNegative('deadlineMs', deadlineMs)
}

function needsOpen(why: string): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_NEEDS_OPEN',
    `Expected a session in memory, but this one ${why}: use \`open\` or \`run\`, which can wait`,
  )
}
