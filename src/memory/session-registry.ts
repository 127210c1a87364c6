import type { CloseReport } from '../core/close-report.ts'
import { type CurrentSession, currentSession } from '../core/current-session.ts'
import { SessionEmitter } from '../core/events/session-emitter.ts'
import type { GoneSession } from '../core/gone-session.ts'
import type { CreateNow, CreateSession } from '../core/hooks.ts'
import { refOf } from '../core/ids/id-ref.ts'
import {
  type AcquireOptions,
  type CloseOptions,
  type CreateOptions,
  checkAcquire,
  checkCreateOptions,
  checkHold,
  checkOpen,
  checkOwner,
  checkWhyGone,
  type HoldOptions,
  type OpenOptions,
  type WhyGoneOptions,
} from '../core/options/call-options.ts'
import { checkFunction, checkId } from '../core/options/validate.ts'
import { sharedRegistry } from '../core/process/shared-registry.ts'
import type { Session } from '../core/session.ts'
import type { SessionSource } from '../core/session-source.ts'
import type { RegistryStats } from '../core/stats.ts'
import { innermostTurn } from '../core/turns/outer-turn.ts'
import type { RunOptions, StreamTurn, Turn } from '../core/turns/turn.ts'
import { TurnStream } from '../core/turns/turn-stream.ts'
import { provideInspectSome } from '../core/watching/bounded-inspection.ts'
import type { InspectedSession } from '../core/watching/inspected-session.ts'
import type { RegistryHealth } from '../core/watching/registry-health.ts'
import { shutDown } from './close.ts'
import { createFastPath } from './fast-path/fast-path.ts'
import { needsSlowPath, type TouchPath } from './fast-path/touch.ts'
import { health } from './health.ts'
import { inspect } from './inspection.ts'
import { OpenCalls } from './open-calls.ts'
import { Operations } from './operations.ts'
import { resolveOptions, type SessionRegistryOptions } from './options.ts'
import { OwnerCalls } from './owners/owner-calls.ts'
import type { Hold } from './session/hold.ts'
import type { Sessions } from './session/sessions.ts'
import { StoreCalls } from './storing/store-calls.ts'
import { noSlot, type Slot } from './table/session-table.ts'
import { TurnCalls } from './turns/turn-calls.ts'
import type { TurnRun } from './turns/turn-run.ts'
import { type Components, wire } from './wiring.ts'

/**
 * Keeps one value per session id while the session is in use, and expires or archives it once it is idle.
 *
 * @example
 * const registry = new SessionRegistry<string[]>({ timeoutMs: 20 * 60_000, create: () => [] })
 * registry.on('expired', (session) => console.log(`${session.id} said ${session.value.length} things`))
 * registry.getOrCreate('ada').push('hello')
 */
export class SessionRegistry<T> extends SessionEmitter<T> implements SessionSource<T>, AsyncDisposable {
  readonly #components: Components<T>
  readonly #operations: Operations<T>
  readonly #openCalls: OpenCalls<T>
  readonly #turnCalls: TurnCalls<T>
  readonly #storeCalls: StoreCalls<T>
  readonly #ownerCalls: OwnerCalls<T>
  readonly #table: Sessions<T>
  readonly #fastTouch: TouchPath<T>
  readonly #create: CreateSession<T> | undefined
  readonly #maxHoldMs: number
  readonly #turnGraceMs: number

  /**
   * Returns the process's one registry of a key. `make` is called at the first call, and again after that
   * registry was closed.
   *
   * All copies of this module share it: after a hot reload, and ESM beside CJS. It is then an instance of the
   * copy that made it, so `instanceof` may be false. Keys belong to all code of the process: choose a name
   * that is your application's own.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   *
   * @example
   * const make = () => new SessionRegistry<string[]>({ create: () => [] })
   * export const sessions = SessionRegistry.shared('my-app:sessions', make)
   */
  static shared<T>(key: string, make: () => SessionRegistry<T>): SessionRegistry<T> {
    return sharedRegistry(key, make)
  }

  static {
    provideInspectSome(SessionRegistry<unknown>, (registry, max) => inspect(registry.#components, max))
  }

  /** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
  constructor(options?: SessionRegistryOptions<T>) {
    super()
    const resolved = resolveOptions(options)
    this.#create = resolved.create
    this.#maxHoldMs = resolved.maxHoldMs
    this.#turnGraceMs = resolved.turnGraceMs
    this.#components = wire(this, resolved)
    this.#table = this.#components.table
    const { counters, blockers } = this.#components
    const fastPath = createFastPath(this.#table, resolved.clock, counters, blockers, resolved.maxSessions)
    this.#fastTouch = fastPath.touch
    this.#operations = new Operations(this.#components, fastPath.create, resolved)
    this.#openCalls = new OpenCalls(this, this.#components, this.#operations)
    this.#turnCalls = new TurnCalls(this, this.#components)
    this.#ownerCalls = new OwnerCalls(this.#components, this.#operations, resolved.archiveAttempts)
    this.#storeCalls = new StoreCalls(this, this.#components, this.#operations, resolved.archiveAttempts)
  }

  /**
   * The number of sessions in the registry. It includes expired sessions that were not swept yet, but not
   * those being archived.
   */
  get size(): number {
    return this.#components.table.size
  }

  /** `'closing'` from the call of {@link close} on, and `'closed'` once its promise fulfils. */
  get state(): 'open' | 'closing' | 'closed' {
    return this.#components.gate.state
  }

  /**
   * Returns the keyed hash of an id, as log lines show it by default: for log lines of your own.
   *
   * The key is random, one per process: the same id has another hash in another process, and hashing likely
   * ids does not reveal it.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  ref(id: string): string {
    return refOf(checkId(id))
  }

  /**
   * Returns the value of the live session, or of a new one. Activity.
   *
   * The `create` of the call takes precedence over the registry's. One that throws leaves nothing behind and
   * has evicted no session, unless there is an `archive` or `dispose`: then the place is free before `create`
   * is called. One that returns a promise goes on, as if begun by {@link open}; a failure is an `error`
   * event.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID`,
   *   `ERR_SESSION_NO_FACTORY`, `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_REGISTRY_CLOSED`, and
   *   `ERR_SESSION_NEEDS_OPEN` where the session would have to be loaded, is being archived, made or disposed
   *   of, or `create` returned a promise
   */
  getOrCreate(id: string, create?: CreateNow<T>, options?: CreateOptions): T {
    if (create !== undefined) checkFunction('create', create)
    const checked = checkCreateOptions(options)
    const slot = this.#fastTouch.find(id)
    if (slot === noSlot) return this.#operations.create(id, create ?? this.#create, checked)
    if (checked.owner !== undefined) this.#operations.admission.assertOwner(id, checked.owner)
    const touched = this.#fastTouch.touch(slot, id)
    if (touched !== needsSlowPath) return touched
    return this.#operations.getOrCreate(id, create ?? this.#create, checked)
  }

  /**
   * Returns the value of the live session; `undefined` if there is none. Activity.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  get(id: string): T | undefined {
    const slot = this.#fastTouch.find(id)
    const touched = slot === noSlot ? needsSlowPath : this.#fastTouch.touch(slot, id)
    return touched === needsSlowPath ? this.#operations.get(id) : touched
  }

  /**
   * Assigns the value of the live session, without an event; creates a session if there is none. Activity.
   *
   * `timeoutMs` applies to a session that is created.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID`,
   *   `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_REGISTRY_CLOSED`, and `ERR_SESSION_NEEDS_OPEN` while the id
   *   is being archived
   */
  set(id: string, value: T, options?: CreateOptions): this {
    this.#operations.set(id, value, checkCreateOptions(options))
    return this
  }

  /**
   * Creates a session with this value at once. A live one, or one that is being archived, ends with
   * `'replaced'`, and is not archived. Activity.
   *
   * The signal of a running turn aborts, and waiting turns go on with the new session.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID`,
   *   `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_REGISTRY_CLOSED`
   */
  replace(id: string, value: T, options?: CreateOptions): this {
    this.#operations.replace(id, value, checkCreateOptions(options))
    return this
  }

  /**
   * Starts the idle time of the live session again. Activity. Returns whether there is one.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  touch(id: string): boolean {
    return this.#operations.touch(id) !== noSlot
  }

  /**
   * Returns the live session with its times. Not activity.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  peek(id: string): Session<T> | undefined {
    const slot = this.#operations.peekLive(id)
    return slot === noSlot ? undefined : this.#viewOf(slot)
  }

  /**
   * Returns whether there is a live session. Not activity.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  has(id: string): boolean {
    return this.#operations.peekLive(id) !== noSlot
  }

  /**
   * Ends a session at once, even if it is held, or being archived, loaded or made. Returns whether there was
   * one.
   *
   * The signal of a running turn aborts, and waiting turns open the id anew. The archive hook is not called,
   * and a running one is aborted: a hook that honours its signal stores nothing afterwards. What an earlier
   * archive stored is yours to remove. A session that had expired, and is not to be archived, ends as expired
   * and does not count.
   *
   * With `dispose`, the value is disposed of when a running turn or archive has settled, after a turn's
   * `turnGraceMs` at the latest; then `ended` is emitted.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  delete(id: string): boolean {
    return this.#operations.removal.delete(checkId(id))
  }

  /** Deletes all sessions, as {@link delete}. Returns their number. */
  clear(): number {
    return this.#operations.removal.clear()
  }

  /**
   * Returns why and when the last session of an id ended, within `tombstoneMs`; `undefined` if it is live,
   * being archived or disposed of, or never existed. Not activity.
   *
   * `owner`: only if it belonged to that owner.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID`
   */
  whyGone(id: string, options?: WhyGoneOptions): GoneSession | undefined {
    const owner = checkWhyGone(options)
    const { archiver, disposer, lifecycle } = this.#components
    // It is not gone yet.
    if (archiver.has(checkId(id)) || disposer?.has(id) === true) return undefined
    return lifecycle.endings.isEnabled ? lifecycle.endings.find(id, owner) : undefined
  }

  /**
   * Iterates the sessions of an owner in memory, those that expired and were not removed excepted. Not
   * activity.
   *
   * Without `maxPerOwner`, sessions are listed by owner from the first call of this or {@link forgetOwner}
   * on: that call takes about a microsecond for each session with an owner.
   */
  *ownedBy(owner: string): Generator<Session<T>, void, undefined> {
    const { owners } = this.#table
    for (const slot of owners.slotsOf(checkOwner('owner', owner))) {
      if (owners.ownerOf(slot) === owner && this.#operations.isLive(slot)) yield this.#viewOf(slot)
    }
  }

  /**
   * Deletes all sessions of an owner, as {@link forget}: in memory, being archived, loaded or made, and
   * stored. Resolves with their number when all are gone, and their values are disposed of.
   *
   * Rejects with `ERR_SESSION_STORE_FAILED`, `ERR_SESSION_REGISTRY_CLOSED`, and with
   * `ERR_SESSION_OPTION_INVALID` also if the store has no `owned`.
   */
  forgetOwner(owner: string): Promise<number> {
    return this.#ownerCalls.forget(owner)
  }

  /**
   * Writes a live session to the store now, for changes outside of turns. Not activity.
   *
   * It waits for a running turn; inside a turn of the id it writes at once. Resolves with `true` if the
   * session is live and the store has it as it was then; with `false` if there is no live session.
   *
   * Rejects with `ERR_SESSION_STORE_FAILED`, `ERR_SESSION_STORE_CONFLICT`, `ERR_SESSION_VALUE_INVALID`,
   * `ERR_SESSION_ID_INVALID`, `ERR_SESSION_REGISTRY_CLOSED`, and without a `store` with
   * `ERR_SESSION_OPTION_INVALID`.
   */
  save(id: string): Promise<boolean> {
    return this.#storeCalls.save(id)
  }

  /**
   * Deletes the session in memory and in the store. Resolves when both are done: with `true` if it was in
   * memory, being written or being read.
   *
   * It does not wait until the value is disposed of, since a turn may forget its own session. `ended` is
   * emitted after the disposal, and {@link settled} waits for it.
   *
   * Rejects with `ERR_SESSION_STORE_FAILED` after `archiveAttempts`; the deletion goes on then. Also with
   * `ERR_SESSION_ID_INVALID`, and with `ERR_SESSION_REGISTRY_CLOSED` once the registry is closed.
   */
  forget(id: string): Promise<boolean> {
    return this.#storeCalls.forget(id)
  }

  /** Ends or archives, now and in one step, all sessions that have expired. Returns their number. */
  sweep(): number {
    if (!this.#components.gate.isOpen) return 0
    return this.#components.sweeper.sweep()
  }

  /**
   * Iterates the ids of live sessions, least recently active first, as they are at the first step. Not
   * activity.
   */
  *keys(): Generator<string, void, undefined> {
    for (const slot of this.#operations.iterate()) yield this.#table.idOf(slot)
  }

  /** Iterates the values of live sessions, as {@link keys}. */
  *values(): Generator<T, void, undefined> {
    for (const slot of this.#operations.iterate()) yield this.#table.valueOf(slot)
  }

  /** Iterates the live sessions, as {@link keys}. */
  *sessions(): Generator<Session<T>, void, undefined> {
    for (const slot of this.#operations.iterate()) yield this.#viewOf(slot)
  }

  /** Iterates pairs of id and value of live sessions, as {@link keys}. */
  *[Symbol.iterator](): Generator<[id: string, value: T], void, undefined> {
    for (const slot of this.#operations.iterate()) yield [this.#table.idOf(slot), this.#table.valueOf(slot)]
  }

  /** Returns the figures of the registry. */
  stats(): RegistryStats {
    const { table, turns, archiver, disposer, step, counters } = this.#components
    const { size, heldCount: held } = table
    const { listenerErrors } = step.events
    const { running, waiting } = turns.counts
    const archiving = archiver.count
    const disposing = disposer?.count ?? 0
    return counters.snapshot({ size, held, running, waiting, archiving, disposing, listenerErrors })
  }

  /**
   * Returns what is in memory: an entry for each session, including those that are being loaded, created,
   * archived or disposed of. Not activity.
   *
   * For people and for a page for debugging, not for metrics: it takes a few microseconds per session, and
   * blocks the event loop for that long.
   */
  inspect(): InspectedSession[] {
    return inspect(this.#components)
  }

  /**
   * Returns whether the registry can serve new sessions, for a readiness probe: from what is known, without a
   * call of the store. Not activity. Never throws.
   *
   * `why` it is not ready: `'closing'` from the call of {@link close} on; `'full'` where `open` of a new id
   * would be refused, since every session is held (with `whenFull: 'reject'`, since none has expired);
   * `'store-failing'` for 30 seconds after a call of the store, of `load` or of `archive` has failed or timed
   * out, unless one has succeeded since.
   */
  health(): RegistryHealth {
    return health(this.#components)
  }

  /**
   * Returns the value of the live session; loads or creates it if there is none. Activity.
   *
   * Calls for one id share one `load`. It waits while the id is being archived, and at the cap for capacity.
   * With `create: false` nothing is created, and the result is `undefined` where there is no session. Rejects
   * with the codes of {@link getOrCreate}, with the error of `load` or `create`, with `signal.reason`, with
   * `ERR_SESSION_LOAD_TIMEOUT`, and with `ERR_SESSION_REENTRANT` in a hook of the same id.
   */
  open(id: string, options: OpenOptions<T> & { readonly create: false }): Promise<T | undefined>
  open(id: string, options?: OpenOptions<T>): Promise<T>
  open(id: string, options?: OpenOptions<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      checkId(id)
      this.#openCalls.open(id, checkOpen(options), resolve, reject)
    })
  }

  /**
   * Opens the session, holds it, runs `turn`, and releases it. Its end is activity.
   *
   * Turns of one session run one at a time, first come, first served; turns of different sessions side by
   * side. A `run` inside a running turn of the same id is part of that turn, and begins at once. A turn that
   * throws rejects with that very error; the session stays. The signal of a turn that takes longer than
   * `maxTurnMs` aborts with `ERR_SESSION_TURN_TIMEOUT`; if it does not settle within `turnGraceMs`, `run`
   * rejects with it and the next turn begins.
   *
   * Rejects with the error of the turn, with the codes of {@link open}, with `ERR_SESSION_BUSY` for
   * `whenBusy: 'reject'` and after `waitMs`, with `ERR_SESSION_QUEUE_FULL` where `maxWaiting` turns wait
   * already, with `ERR_SESSION_TURN_TIMEOUT`, and with `signal.reason`.
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
    options: RunOptions<T> & { readonly create: false },
  ): Promise<R | undefined>
  run<R>(id: string, turn: Turn<T, R>, options?: RunOptions<T>): Promise<R>
  run<R>(id: string, turn: Turn<T, R>, options?: RunOptions<T>): Promise<R | undefined> {
    return this.#turnCalls.run(id, turn, options)
  }

  /**
   * {@link run} for a turn that yields: an async generator function.
   *
   * The turn begins at the first `next()`. It ends when it was read to its end, failed, or was closed early
   * (`break`, `return()`). Closing it early aborts its signal with an `AbortError` and runs its `finally`;
   * what it still yields is dropped, and it has not failed. If its signal aborts while nothing is being read,
   * the stream ends as if it was closed, and the next `next()` rejects with the reason. The `finally` has
   * `turnGraceMs`; after that the turn is aborted, and the next one begins. A stream that is neither read to
   * its end nor closed keeps its session busy until `maxTurnMs`.
   *
   * Whatever rejects {@link run}, invalid arguments included, rejects the first `next()`; `waitMs` counts
   * from it.
   *
   * @example
   * for await (const part of registry.stream(id, async function* (session, signal) {
   *   let text = ''
   *   for await (const part of model.stream(session.value, { signal })) yield (text += part)
   *   session.value.push(text)
   * })) response.write(part)
   */
  stream<Y>(
    id: string,
    turn: StreamTurn<T, Y>,
    options?: RunOptions<T>,
  ): AsyncGenerator<Y, unknown, undefined> {
    return new TurnStream(turn, (reading, signals) => this.#turnCalls.run(id, reading, options, signals))
  }

  /**
   * Returns the session of the turn that the caller is a part of, in the same async context: the innermost
   * one, if turns of several sessions are nested. `undefined` outside of turns. Not activity.
   */
  current(): CurrentSession | undefined {
    return currentSession(innermostTurn<TurnRun<T>, T>(this)?.session)
  }

  /**
   * Holds a live session: it does not end until the hold is released, for `maxMs` at most. `undefined` if
   * there is no live session. Activity, and so is its release.
   *
   * A hold that is neither released nor renewed in that time ends with an `error` event of
   * `ERR_SESSION_TURN_TIMEOUT`.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID`
   */
  hold(id: string, options?: HoldOptions): Hold<T> | undefined {
    const { maxMs, owner } = checkHold(options, this.#maxHoldMs)
    this.#operations.admission.assertOwner(id, owner)
    const slot = this.#operations.touch(id)
    if (slot === noSlot || !this.#components.gate.isOpen) return undefined
    return this.#components.turns.holds.hold(this.#table.recordOf(slot), maxMs)
  }

  /**
   * {@link open} and {@link hold} in one step: the session cannot end in between. Activity.
   *
   * With `create: false` the result is `undefined` where there is no session. Rejects with the codes of
   * {@link open}.
   */
  acquire(id: string, options: AcquireOptions<T> & { readonly create: false }): Promise<Hold<T> | undefined>
  acquire(id: string, options?: AcquireOptions<T>): Promise<Hold<T>>
  acquire(id: string, options?: AcquireOptions<T>): Promise<Hold<T> | undefined> {
    return new Promise((resolve, reject) => {
      checkId(id)
      this.#openCalls.acquire(id, checkAcquire(options, this.#maxHoldMs), resolve, reject)
    })
  }

  /**
   * Fulfils at a moment when no load, creation, save, archive or disposal is under way: every call of a hook
   * or of the store has settled, or has timed out.
   *
   * It starts nothing and rejects no call. It does not wait for running turns, but for the pauses between two
   * attempts of an archive. The process stays alive until then. For the end of a test, or of one invocation
   * of a serverless function.
   */
  settled(): Promise<void> {
    return this.#components.pending.whenIdle()
  }

  /**
   * Closes the registry: rejects new work, waits for running turns, archives every session, disposes of its
   * value, and ends it with `'closed'`. What is being made is aborted and disposed of.
   *
   * Turns have until the deadline; then their signals abort, and after `turnGraceMs` their runs reject.
   * Archives, disposals and creations have `deadlineMs` more; then their signals abort. What is reported as
   * failed is not disposed of. It keeps the process alive meanwhile. Every further call returns the
   * same promise.
   *
   * Rejects with `ERR_SESSION_OPTION_INVALID`, and then the registry stays open.
   */
  close(options?: CloseOptions): Promise<CloseReport<T>> {
    return this.#components.gate.close(options, (deadlineMs) =>
      shutDown(this.#components, { deadlineMs, turnGraceMs: this.#turnGraceMs }),
    )
  }

  /** Calls {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #viewOf(slot: Slot): Session<T> {
    return this.#components.lifecycle.viewOf(this.#table.recordOf(slot))
  }
}
