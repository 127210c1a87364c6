import type { CloseReport } from '../core/close-report.ts'
import { type CurrentSession, currentSession } from '../core/current-session.ts'
import { SessionEmitter } from '../core/events/session-emitter.ts'
import type { GoneSession } from '../core/gone-session.ts'
import type { CreateSession } from '../core/hooks.ts'
import { refOf } from '../core/ids/id-ref.ts'
import {
  type AcquireOptions,
  type CloseOptions,
  type CreateOptions,
  checkAcquire,
  checkCreateOptions,
  checkHold,
  checkOpen,
  checkWhyGone,
  type HoldOptions,
  type OpenOptions,
  type WhyGoneOptions,
} from '../core/options/call-options.ts'
import { checkOwnTimeout } from '../core/options/store-options.ts'
import { checkFunction } from '../core/options/validate.ts'
import { sharedRegistry } from '../core/process/shared-registry.ts'
import type { Session } from '../core/session.ts'
import type { SessionSource } from '../core/session-source.ts'
import type { RegistryStats } from '../core/stats.ts'
import { innermostTurn } from '../core/turns/outer-turn.ts'
import type { RunOptions, StreamTurn, Turn } from '../core/turns/turn.ts'
import { TurnStream } from '../core/turns/turn-stream.ts'
import type { InspectedSession } from '../core/watching/inspected-session.ts'
import type { RegistryHealth } from '../core/watching/registry-health.ts'
import type { DeadSession } from './archiving/dead-letter-store.ts'
import { CallGate } from './call-gate.ts'
import { health } from './health.ts'
import type { RedisHold } from './holds/holds.ts'
import { inspect } from './inspection.ts'
import { OpenCalls } from './loading/open-calls.ts'
import { Operations } from './operations.ts'
import { type RedisSessionRegistryOptions, resolveRedisOptions } from './options.ts'
import { Reads } from './reads.ts'
import { checkRedisId } from './redis-id.ts'
import { SetCalls } from './set-calls.ts'
import { shutDown } from './shutdown.ts'
import type { NewSessionOptions } from './storage/session-draft.ts'
import { TurnCalls } from './turns/turn-calls.ts'
import type { RedisTurnRun } from './turns/turn-run.ts'
import { type RedisComponents, wire } from './wiring.ts'

/**
 * A registry for several processes that share one Redis or Valkey: the members of `SessionRegistry`, with
 * promises as results.
 *
 * Values are copies: only `run`, `stream`, `set` and `replace` keep a change. Every member rejects with
 * `ERR_SESSION_BACKEND_UNAVAILABLE` where Redis does not reply, with `ERR_SESSION_BACKEND_FAILED` where it
 * replies with an error, with `ERR_SESSION_SHARDS_MISMATCH` where the data were stored with another number of
 * shards, and with `ERR_SESSION_ID_INVALID` for an invalid id. A call with an `owner` rejects with
 * `ERR_SESSION_NOT_OWNER` for the session of another owner, or of none; it is no activity then, and changes
 * nothing.
 *
 * @example
 * const registry = new RedisSessionRegistry<string[]>({ client, timeoutMs: 20 * 60_000, create: () => [] })
 * await registry.run('ada', (session) => session.value.push('hello'))
 */
export class RedisSessionRegistry<T> extends SessionEmitter<T> implements SessionSource<T>, AsyncDisposable {
  readonly #components: RedisComponents<T>
  readonly #operations: Operations<T>
  readonly #gate = new CallGate<T>(() => this.#components.poller.start())
  readonly #reads: Reads<T>
  readonly #openCalls: OpenCalls<T>
  readonly #turnCalls: TurnCalls<T>
  readonly #setCalls: SetCalls<T>

  /**
   * Returns the process's one registry of a key. `make` is called at the first call, and again after that
   * registry was closed.
   *
   * All copies of this module share it: after a hot reload, and ESM beside CJS. Keys belong to all code of
   * the process, and to `SessionRegistry.shared` too: choose a name that is your application's own.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  static shared<T>(key: string, make: () => RedisSessionRegistry<T>): RedisSessionRegistry<T> {
    return sharedRegistry(key, make)
  }

  /**
   * Creates a registry, and calls nothing yet. The first call that opens, reads, changes or counts sessions,
   * or of {@link health}, starts the polls that archive expired sessions.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  constructor(options: RedisSessionRegistryOptions<T>) {
    super()
    this.#components = wire(this, resolveRedisOptions(options))
    this.#operations = new Operations(this.#components)
    this.#reads = new Reads(this.#components, this.#operations, this.#gate)
    this.#openCalls = new OpenCalls(this.#components, this.#operations, this.#gate)
    this.#turnCalls = new TurnCalls(this.#components, this.#gate)
    this.#setCalls = new SetCalls(this.#components)
  }

  /** `'closing'` from the call of {@link close} on, and `'closed'` once its promise fulfils. */
  get state(): 'open' | 'closing' | 'closed' {
    return this.#gate.state
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
    return refOf(checkRedisId(id))
  }

  /**
   * Returns the number of sessions of all processes. It includes expired sessions that were not claimed yet,
   * but not those being archived.
   */
  async size(): Promise<number> {
    return this.#gate.admit() ? this.#components.scan.size() : 0
  }

  /**
   * Returns the value of the live session, or of a new one. Activity.
   *
   * The `create` of the call takes precedence over the registry's; one that returns a promise is awaited, for
   * at most `loadTimeoutMs`. Rejects with the error of `create`, with `ERR_SESSION_LOAD_TIMEOUT`,
   * `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_NO_FACTORY`, `ERR_SESSION_VALUE_INVALID`,
   * `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_REGISTRY_CLOSED`, and with `ERR_SESSION_NEEDS_OPEN` where the
   * session would have to be loaded.
   */
  async getOrCreate(id: string, create?: CreateSession<T>, options?: CreateOptions): Promise<T> {
    checkRedisId(id)
    if (create !== undefined) checkFunction('create', create)
    const { options: resolved, turns } = this.#components
    const checked = this.#checkCreate(options)
    const own = turns.sessionInTurn(id)
    if (own !== undefined) return own.admit(checked.owner).value
    this.#gate.assertAdmitted()
    const snapshot = await this.#openCalls.getOrCreate(id, create ?? resolved.create, checked)
    return resolved.codec.decode(snapshot.text)
  }

  /**
   * Returns the value of the live session; `undefined` if there is none. Activity.
   *
   * Rejects with `ERR_SESSION_VALUE_INVALID`.
   */
  async get(id: string): Promise<T | undefined> {
    return this.#reads.get(id)
  }

  /**
   * Assigns the value of the live session; creates a session if there is none. Activity.
   *
   * It is a short turn: it waits for a running one of any process; inside a turn of the same id it is part of
   * that turn, and saved with it. `timeoutMs` applies to a session that is created. Rejects with
   * `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_VALUE_INVALID`, `ERR_SESSION_QUEUE_FULL`,
   * `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_REGISTRY_CLOSED`, and with an `owner` also with
   * `ERR_SESSION_NEEDS_OPEN`: without a live session, the `store` may have that of another owner.
   */
  async set(id: string, value: T, options?: CreateOptions): Promise<this> {
    checkRedisId(id)
    const checked = this.#checkCreate(options)
    const own = this.#components.turns.sessionInTurn(id)
    if (own === undefined) {
      this.#gate.admitNew()
      await this.#setCalls.set(id, value, checked)
    } else {
      own.admit(checked.owner).value = value
    }
    return this
  }

  /**
   * Creates a session with this value at once. A live one ends with `'replaced'`, and is not archived.
   * Activity.
   *
   * The signal of a running turn aborts, and its changes are not saved. Rejects with
   * `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_VALUE_INVALID`, `ERR_SESSION_REGISTRY_FULL`,
   * `ERR_SESSION_REGISTRY_CLOSED`, and with an `owner` with `ERR_SESSION_NEEDS_OPEN` as {@link set}.
   */
  async replace(id: string, value: T, options?: CreateOptions): Promise<this> {
    checkRedisId(id)
    const checked = this.#checkCreate(options)
    this.#gate.admitNew()
    await this.#operations.replace(id, value, checked)
    return this
  }

  /** Starts the idle time of the live session again. Activity. Returns whether there is one. */
  async touch(id: string): Promise<boolean> {
    return this.#reads.touch(id)
  }

  /**
   * Returns a copy of the live session with its times; in a turn of the id, the session of the turn. Not
   * activity.
   */
  async peek(id: string): Promise<Session<T> | undefined> {
    return this.#reads.peek(id)
  }

  /** Returns whether there is a live session. Not activity. */
  async has(id: string): Promise<boolean> {
    return this.#reads.has(id)
  }

  /**
   * Ends a session at once, even if it is held or being archived. Returns whether there was one.
   *
   * The signal of a running turn aborts: at once in this process, at its next renewal in another. Dead
   * letters of the id stay, but are not revived any more. What the `archive` hook stored is yours to remove;
   * from a `store` the session is deleted, and until that is done `open` and `run` of the id wait in every
   * process. Rejects with `ERR_SESSION_REGISTRY_CLOSED`.
   */
  async delete(id: string): Promise<boolean> {
    checkRedisId(id)
    this.#gate.assertAdmitted()
    return this.#operations.delete(id)
  }

  /**
   * Ends a session as {@link delete} does, its dead letters too, and deletes it from the store. Resolves when
   * both are done. Returns whether there was a session in Redis.
   *
   * Rejects with `ERR_SESSION_STORE_FAILED` after `archiveAttempts` attempts, although the deletion goes on,
   * with `ERR_SESSION_BUSY` where it is not done within `maxTurnMs`, and with `ERR_SESSION_REGISTRY_CLOSED`.
   */
  async forget(id: string): Promise<boolean> {
    checkRedisId(id)
    this.#gate.admitNew()
    return this.#operations.forget(id)
  }

  /**
   * Writes a live session to the store now. Returns `true` if it is live and the store has it, `false` if it
   * is not live. Not activity.
   *
   * It waits for a running turn of any process, at most `maxTurnMs`: then it rejects with `ERR_SESSION_BUSY`.
   * Inside a turn of the id it writes the session as the turn has it. Rejects with
   * `ERR_SESSION_OPTION_INVALID` without a store, with `ERR_SESSION_STORE_FAILED` after three tries, with
   * `ERR_SESSION_VALUE_INVALID`, and with `ERR_SESSION_REGISTRY_CLOSED`.
   */
  async save(id: string): Promise<boolean> {
    return this.#operations.save(checkRedisId(id), this.#gate)
  }

  /**
   * Returns why and when the last session of an id ended, in any process, within `tombstoneMs`; `undefined`
   * if it is live, being archived or never existed. Not activity.
   *
   * `owner`: only if it belonged to that owner.
   *
   * A dead letter has ended when it expired; where there is `load` or `store`, the newest of an id is not
   * gone, since it can be revived. It is answered after {@link close} too, while the client is open. Rejects
   * with `ERR_SESSION_OPTION_INVALID`.
   */
  async whyGone(id: string, options?: WhyGoneOptions): Promise<GoneSession | undefined> {
    checkRedisId(id)
    const owner = checkWhyGone(options)
    this.#gate.admit()
    return this.#components.tombstones.find(id, owner)
  }

  /**
   * Deletes all sessions of all processes, those being archived included, one by one. Returns their number.
   * Rejects as {@link delete}.
   */
  async clear(): Promise<number> {
    this.#gate.assertAdmitted()
    return this.#operations.clear()
  }

  /**
   * Claims all expired sessions now, to end or archive them here. Returns their number. It is 0 in an
   * observer, and in a process without `archive` where others have one.
   */
  async sweep(): Promise<number> {
    this.#gate.admit()
    return this.#gate.isOpen ? this.#components.poller.sweep() : 0
  }

  /**
   * Iterates the ids of live sessions of all processes, least recently active first in each shard. Not
   * activity.
   *
   * A session that is created or ends meanwhile may be missed or included.
   */
  async *keys(): AsyncGenerator<string, void, undefined> {
    if (!this.#gate.admit()) return
    for await (const { id } of this.#operations.liveRefs()) yield id
  }

  /**
   * Iterates the values of live sessions, as {@link keys}. One that cannot be decoded is skipped, with an
   * `error` event.
   */
  async *values(): AsyncGenerator<T, void, undefined> {
    for await (const [, value] of this) yield value
  }

  /** Iterates copies of the live sessions, as {@link keys}. */
  async *sessions(): AsyncGenerator<Session<T>, void, undefined> {
    if (!this.#gate.admit()) return
    for await (const snapshot of this.#operations.liveSessions())
      yield this.#components.log.sessionOf(snapshot)
  }

  /** Iterates pairs of id and value of live sessions, as {@link values}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<[id: string, value: T], void, undefined> {
    if (this.#gate.admit()) yield* this.#operations.entries()
  }

  /**
   * Returns what this process does with sessions now: an entry for each session that a turn or hold of this
   * process uses or waits for, that is being loaded or created here, or that this process archives. A session
   * that waits in Redis alone has none. Not activity, and no round trip.
   *
   * For a person and a page for debugging, not for a metric.
   */
  async inspect(): Promise<InspectedSession[]> {
    return this.#gate.admit() ? inspect(this.#components) : []
  }

  /**
   * Returns whether this process can serve new sessions, for a readiness probe: from what is known of its
   * calls, without a round trip, so that it answers while Redis does not. It starts the polls, like any first
   * call. Not activity. Never rejects.
   *
   * `why` it is not ready: `'closing'` from the call of {@link close} on; for 30 seconds, unless a call has
   * succeeded since, `'full'` after a creation was refused with `ERR_SESSION_REGISTRY_FULL`, and
   * `'store-failing'` after a call of Redis, of the store, of `load` or of `archive` has failed or timed out.
   */
  async health(): Promise<RegistryHealth> {
    this.#gate.admit()
    return health(this.#components, this.#gate)
  }

  /**
   * Returns the figures of this process; `size` is of all processes, and takes a round trip: while Redis does
   * not reply, the result is rejected after `callTimeoutMs`.
   */
  async stats(): Promise<RegistryStats> {
    return this.#operations.stats(await this.size())
  }

  /**
   * Returns the value of the live session; loads or creates it if there is none. Activity.
   *
   * Calls of one process for one id share one `load`. With `load`, it first waits until the older
   * incarnations of the id are archived, which is done next, for `maxTurnMs` at most; a dead letter that is
   * the newest state is revived. Rejects with the codes of {@link getOrCreate}, with the error of `load` or
   * `create`, with `signal.reason`, with `ERR_SESSION_LOAD_TIMEOUT`, with `ERR_SESSION_BUSY` after that wait,
   * and with `ERR_SESSION_REENTRANT` in a hook of the same id.
   */
  async open(id: string, options: OpenOptions<T> & { readonly create: false }): Promise<T | undefined>
  async open(id: string, options?: OpenOptions<T>): Promise<T>
  async open(id: string, options?: OpenOptions<T>): Promise<T | undefined> {
    const { turns, options: resolved } = this.#components
    const outer = turns.outerTurn(checkRedisId(id))?.session
    const checked = checkOpen(options)
    if (outer !== undefined) return outer.admit(checked.owner).value
    this.#gate.assertAdmitted()
    const snapshot = await this.#openCalls.open(id, checked)
    return snapshot === undefined ? undefined : resolved.codec.decode(snapshot.text)
  }

  /**
   * Opens the session, takes its turn lock, runs `turn` on a copy, saves what it changed, and releases the
   * lock. Its end is activity.
   *
   * Turns of one session run one at a time over all processes; within a process, first come, first served. A
   * turn that rejects saves nothing; a session that was created for it stays, with the value of `create`. A
   * `run` inside a running turn of the same id is part of that turn, and begins at once.
   *
   * Rejects with the error of the turn, with the codes of {@link open}, with `ERR_SESSION_BUSY` for
   * `whenBusy: 'reject'` and after `waitMs`, with `ERR_SESSION_QUEUE_FULL` where `maxWaiting` turns wait
   * already, with `ERR_SESSION_TURN_TIMEOUT` where it does not settle within `maxTurnMs` and its grace, with
   * `ERR_SESSION_LOCK_LOST` if this process could not renew the lock for `leaseMs`, and with
   * `ERR_SESSION_ENDED` if the session was deleted or replaced meanwhile.
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
   * The turn begins at the first `next()`. It ends, and is saved, when it was read to its end or its reader
   * leaves (`break`, `return()`). Leaving aborts its signal with an `AbortError` and runs its `finally`; what
   * it still yields is dropped. A turn that fails is not saved. If its signal aborts while nothing is being
   * read, the stream ends as if its reader had left, and the next `next()` rejects with the reason. The
   * `finally` has `turnGraceMs`; after that the turn is aborted, and nothing of it is saved. A stream that is
   * neither read nor left keeps its session busy until `maxTurnMs`.
   *
   * Whatever rejects {@link run}, invalid arguments included, rejects the first `next()`; `waitMs` counts
   * from it. A failure of the save rejects the last one.
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
    return currentSession(innermostTurn<RedisTurnRun<T>, T>(this)?.session)
  }

  /**
   * Holds a live session, for all processes: it does not end until the hold is released, for `maxMs` at most.
   * `undefined` if there is no live session. Activity, and so is its release.
   *
   * A hold that is neither released nor renewed in that time ends with an `error` event of
   * `ERR_SESSION_TURN_TIMEOUT`. Rejects with `ERR_SESSION_OPTION_INVALID`.
   */
  async hold(id: string, options?: HoldOptions): Promise<RedisHold<T> | undefined> {
    checkRedisId(id)
    const { holds, options: resolved } = this.#components
    const checked = checkHold(options, resolved.maxHoldMs)
    this.#gate.admit()
    return this.#gate.isOpen ? holds.take(id, checked) : undefined
  }

  /**
   * {@link open} and {@link hold} in one step: the session cannot end in between. Activity.
   *
   * With `create: false` the result is `undefined` where there is no session. Rejects with the codes of
   * {@link open}.
   */
  acquire(
    id: string,
    options: AcquireOptions<T> & { readonly create: false },
  ): Promise<RedisHold<T> | undefined>
  acquire(id: string, options?: AcquireOptions<T>): Promise<RedisHold<T>>
  async acquire(id: string, options?: AcquireOptions<T>): Promise<RedisHold<T> | undefined> {
    const { turns, holds, options: resolved } = this.#components
    // Inside an aborted turn it rejects, as everything that would open the session.
    turns.outerTurn(checkRedisId(id))
    const checked = checkAcquire(options, resolved.maxHoldMs)
    this.#gate.admitNew()
    return holds.acquire(id, checked, this.#gate)
  }

  /**
   * Fulfils at a moment when no load, creation, save or archive of this process is under way: every hook that
   * was called has settled, or has timed out.
   *
   * It starts nothing and rejects no call. It does not wait for running turns, nor for the pauses between two
   * attempts of an archive, which any process may make. The process stays alive until then.
   */
  settled(): Promise<void> {
    return this.#components.pending.whenIdle()
  }

  /**
   * Iterates the sessions that could not be archived. In each shard, the id with the oldest failure comes
   * first, with all its incarnations. About a megabyte of values is read at a time.
   */
  async *deadSessions(): AsyncGenerator<DeadSession<T>, void, undefined> {
    if (!this.#gate.admit()) return
    yield* this.#operations.deadSessions()
  }

  /** Returns the number of sessions that could not be archived. */
  async deadCount(): Promise<number> {
    return this.#gate.admit() ? this.#operations.deadCount() : 0
  }

  /**
   * Archives the dead letters of an id again, or without an id all of them, with new attempts. Returns their
   * number.
   *
   * `superseded` is `true` for the hook where a younger incarnation of the id was archived before. Rejects as
   * {@link delete}.
   */
  async retryDead(id?: string): Promise<number> {
    if (id !== undefined) checkRedisId(id)
    this.#gate.assertAdmitted()
    return this.#operations.retryDead(id)
  }

  /**
   * Ends the dead letters of an id, or without an id all of them, with `'deleted'`. Returns their number.
   * Rejects as {@link delete}.
   */
  async dropDead(id?: string): Promise<number> {
    if (id !== undefined) checkRedisId(id)
    this.#gate.assertAdmitted()
    return this.#operations.dropDead(id)
  }

  /**
   * Closes the registry in this process: rejects new work, waits for its turns, holds and archives until the
   * deadline, releases what it has claimed, and stops polling. No session ends; the client stays open. It
   * settles within `deadlineMs` and the larger of `turnGraceMs` and `callTimeoutMs`, whatever Redis does.
   *
   * The report counts what this process still archived; `failed` are the sessions whose archive the deadline
   * aborted: another process takes them over. Every further call returns the same promise. Afterwards reads
   * return nothing.
   *
   * Rejects with `ERR_SESSION_OPTION_INVALID`, and then the registry stays open.
   */
  close(options?: CloseOptions): Promise<CloseReport<T>> {
    return this.#gate.close(options, (deadlineMs) => shutDown(this.#components, deadlineMs))
  }

  /** Calls {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Returns the options of a session that a call creates. */
  #checkCreate(options: CreateOptions | undefined): NewSessionOptions {
    const { timeoutMs, maxTimeoutMs } = this.#components.options
    const { timeoutMs: own, owner } = checkCreateOptions(options)
    return { timeoutMs: own === undefined ? timeoutMs : checkOwnTimeout(own, maxTimeoutMs), owner }
  }
}
