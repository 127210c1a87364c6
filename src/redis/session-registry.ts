import type { CloseReport } from '../core/close-report.ts'
import { type CurrentSession, currentSession } from '../core/current-session.ts'
import { RegistryEmitter } from '../core/events/listener-tracker.ts'
import type { SessionEvents } from '../core/events/session-events.ts'
import type { CreateSession } from '../core/hooks.ts'
import { refOf } from '../core/ids/id-ref.ts'
import {
  type AcquireOptions,
  type CloseOptions,
  type CreateOptions,
  checkAcquire,
  checkDeadline,
  checkHold,
  checkOpen,
  checkTimeout,
  type HoldOptions,
  type OpenOptions,
} from '../core/options/call-options.ts'
import { checkFunction } from '../core/options/validate.ts'
import { sharedRegistry } from '../core/process/shared-registry.ts'
import type { Session } from '../core/session.ts'
import type { SessionSource } from '../core/session-source.ts'
import type { RegistryStats } from '../core/stats.ts'
import { innermostTurn } from '../core/turns/outer-turn.ts'
import type { RunOptions, StreamTurn, Turn } from '../core/turns/turn.ts'
import { TurnStream } from '../core/turns/turn-stream.ts'
import type { DeadSession } from './archiving/dead-letter-store.ts'
import { Gate } from './gate.ts'
import type { RedisHold } from './holds/holds.ts'
import { OpenCalls } from './loading/open-calls.ts'
import { Operations } from './operations.ts'
import { type RedisSessionRegistryOptions, resolveRedisOptions } from './options.ts'
import { checkRedisId } from './redis-id.ts'
import { SetCalls } from './set-calls.ts'
import { shutDown } from './shutdown.ts'
import type { AccessOptions } from './storage/access-options.ts'
import { TurnCalls } from './turns/turn-calls.ts'
import type { RedisTurnRun } from './turns/turn-run.ts'
import { type RedisComponents, wire } from './wiring.ts'

/**
 * The registry of many processes that share one Redis or Valkey: the words of `SessionRegistry`, with results
 * that are promises.
 *
 * What is handed out is a copy: a change is kept by `run` or by `set`, by nothing else. Every member rejects
 * with `ERR_SESSION_BACKEND_UNAVAILABLE` or `ERR_SESSION_BACKEND_FAILED` where Redis does not answer or
 * refuses, with `ERR_SESSION_SHARDS_MISMATCH` where the data were divided otherwise, and with
 * `ERR_SESSION_ID_INVALID` for a wrong id.
 *
 * @example
 * const registry = new RedisSessionRegistry<string[]>({ client, timeoutMs: 20 * 60_000, create: () => [] })
 * await registry.run('ada', (session) => session.value.push('hello'))
 */
export class RedisSessionRegistry<T>
  extends RegistryEmitter<SessionEvents<T>>
  implements SessionSource<T>, AsyncDisposable
{
  readonly #components: RedisComponents<T>
  readonly #operations: Operations<T>
  readonly #gate = new Gate(() => this.#components.poller.start())
  readonly #openCalls: OpenCalls<T>
  readonly #turnCalls: TurnCalls<T>
  readonly #setCalls: SetCalls<T>
  #closePromise: Promise<CloseReport<T>> | undefined

  /**
   * Returns the process's one registry of a key; `make` is called when it is first asked for, and again after
   * it was closed.
   *
   * It is the same one for every copy of this module: after a hot reload, and for ESM and CJS side by side.
   * Keys are of all code in the process, and of `SessionRegistry.shared` too: choose a name that is your
   * application's own.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  static shared<T>(key: string, make: () => RedisSessionRegistry<T>): RedisSessionRegistry<T> {
    return sharedRegistry(key, make)
  }

  /** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
  constructor(options: RedisSessionRegistryOptions<T>) {
    super()
    this.#components = wire(this, resolveRedisOptions(options))
    this.#operations = new Operations(this.#components)
    this.#openCalls = new OpenCalls(this.#components, this.#operations, this.#gate)
    this.#turnCalls = new TurnCalls(this.#components.turns, this.#gate)
    this.#setCalls = new SetCalls(this.#components)
  }

  /** `'closing'` from the call of {@link close} on, and `'closed'` when its promise fulfils. */
  get state(): 'open' | 'closing' | 'closed' {
    return this.#gate.state
  }

  /**
   * Returns the keyed hash that stands for an id in log lines, whatever `logIds` says: for log lines of your
   * own.
   *
   * The key is random, one per process: the same id has another hash in another process.
   *
   * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
   */
  ref(id: string): string {
    return refOf(checkRedisId(id))
  }

  /**
   * Sessions of all processes: those that are over but not yet claimed are counted, those being archived are
   * not.
   */
  async size(): Promise<number> {
    return this.#gate.admit() ? this.#components.scan.size() : 0
  }

  /**
   * The value of the live session, or of a new one. Activity.
   *
   * The call's own `create` wins over the registry's. Rejects with `ERR_SESSION_OPTION_INVALID`,
   * `ERR_SESSION_NO_FACTORY`, `ERR_SESSION_VALUE_INVALID`, `ERR_SESSION_REGISTRY_FULL`,
   * `ERR_SESSION_REGISTRY_CLOSED`, and with `ERR_SESSION_NEEDS_OPEN` where the session would have to be
   * loaded.
   */
  async getOrCreate(id: string, create?: CreateSession<T>, options?: CreateOptions): Promise<T> {
    checkRedisId(id)
    if (create !== undefined) checkFunction('create', create)
    const { options: resolved, turns } = this.#components
    const timeoutMs = checkTimeout(options) ?? resolved.timeoutMs
    const own = turns.sessionInTurn(id)
    if (own !== undefined) return own.value
    this.#gate.assertAdmitted()
    const snapshot = await this.#openCalls.getOrCreate(id, create ?? resolved.create, timeoutMs)
    return resolved.codec.decode(snapshot.text)
  }

  /** The value of the live session. Activity. Rejects with `ERR_SESSION_VALUE_INVALID`. */
  async get(id: string): Promise<T | undefined> {
    const { log, options } = this.#components
    const own = this.#components.turns.sessionInTurn(checkRedisId(id))
    if (own !== undefined) return own.value
    const snapshot = await this.#access(id, { touches: true, reads: true })
    if (snapshot === undefined) log.counters.misses += 1
    else log.counters.hits += 1
    return snapshot === undefined ? undefined : options.codec.decode(snapshot.text)
  }

  /**
   * Assigns the value of the live session, which lives on; else starts a session with it. Activity.
   *
   * It is a short turn: it waits for a running one of any process, and inside a turn of the same id it joins
   * that, and is saved with it. `timeoutMs` is for a session that is created now. Rejects with
   * `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_VALUE_INVALID`, `ERR_SESSION_QUEUE_FULL`,
   * `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_REGISTRY_CLOSED`.
   */
  async set(id: string, value: T, options?: CreateOptions): Promise<this> {
    checkRedisId(id)
    const timeoutMs = checkTimeout(options) ?? this.#components.options.timeoutMs
    const own = this.#components.turns.sessionInTurn(id)
    if (own === undefined) {
      this.#gate.admitNew()
      await this.#setCalls.set(id, value, timeoutMs)
    } else {
      own.value = value
    }
    return this
  }

  /**
   * Starts a new session with this value, at once: a live one ends with `'replaced'`, and is not archived.
   * Activity.
   *
   * The signal of a turn that is running aborts; what it has changed is not saved. Rejects with
   * `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_VALUE_INVALID`, `ERR_SESSION_REGISTRY_FULL`,
   * `ERR_SESSION_REGISTRY_CLOSED`.
   */
  async replace(id: string, value: T, options?: CreateOptions): Promise<this> {
    checkRedisId(id)
    const timeoutMs = checkTimeout(options) ?? this.#components.options.timeoutMs
    this.#gate.admitNew()
    await this.#operations.replace(id, value, timeoutMs)
    return this
  }

  /** Whether there is a live session; its idle time starts again. Activity. */
  async touch(id: string): Promise<boolean> {
    if (this.#components.turns.sessionInTurn(checkRedisId(id)) !== undefined) return true
    return (await this.#access(id, { touches: true })) !== undefined
  }

  /**
   * The live session with its times as they are now, a copy; in a turn of the id, the session of the turn.
   * Not activity.
   */
  async peek(id: string): Promise<Session<T> | undefined> {
    const own = this.#components.turns.sessionInTurn(checkRedisId(id))
    if (own !== undefined) return own
    const snapshot = await this.#access(id, { reads: true })
    return snapshot === undefined ? undefined : this.#components.log.sessionOf(snapshot)
  }

  /** Whether there is a live session. Not activity. */
  async has(id: string): Promise<boolean> {
    return (await this.#access(checkRedisId(id), {})) !== undefined
  }

  /**
   * Ends a session at once, held or being archived or not, and says whether there was one.
   *
   * A running turn's signal is aborted: at once in this process, at its next renewal in another. What was
   * given up stays on the dead list, and is not taken back to life any more; what an earlier archive has
   * stored is yours to remove. Rejects with `ERR_SESSION_REGISTRY_CLOSED`.
   */
  async delete(id: string): Promise<boolean> {
    checkRedisId(id)
    this.#gate.assertAdmitted()
    return this.#operations.delete(id)
  }

  /**
   * Deletes all sessions of all processes, being archived or not, one by one; says how many. Rejects as
   * {@link delete}.
   */
  async clear(): Promise<number> {
    this.#gate.assertAdmitted()
    return this.#operations.clear()
  }

  /**
   * Claims, now, all sessions that are over and not held, to end or archive them here; returns how many. None
   * in an observer, nor in a process without `archive` where others have one.
   */
  async sweep(): Promise<number> {
    this.#gate.admit()
    return this.#gate.state === 'open' ? this.#components.poller.sweep() : 0
  }

  /** The ids of live sessions of all processes, least recently active first in each shard. Not activity. */
  async *keys(): AsyncGenerator<string, void, undefined> {
    if (!this.#gate.admit()) return
    for await (const { id } of this.#operations.liveRefs()) yield id
  }

  /**
   * The values of live sessions; see {@link keys}. One that cannot be decoded is left out, with an `error`
   * event.
   */
  async *values(): AsyncGenerator<T, void, undefined> {
    for await (const [, value] of this) yield value
  }

  /** The live sessions; see {@link keys}. */
  async *sessions(): AsyncGenerator<Session<T>, void, undefined> {
    if (!this.#gate.admit()) return
    for await (const snapshot of this.#operations.liveSessions())
      yield this.#components.log.sessionOf(snapshot)
  }

  /** Pairs of id and value of live sessions; see {@link values}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<[id: string, value: T], void, undefined> {
    if (this.#gate.admit()) yield* this.#operations.entries()
  }

  /** `size` is of all processes; all else is of this one. */
  async stats(): Promise<RegistryStats> {
    const { turns, holds, archiver, log } = this.#components
    const { listenerErrors } = log.events
    const { running, waiting } = turns.counts
    const size = await this.size()
    const held = new Set([...turns.heldIds, ...holds.ids]).size
    const archiving = archiver.count
    return log.counters.snapshot({ size, held, running, waiting, archiving, listenerErrors })
  }

  /**
   * The value of the session: the live one's, else loaded, else created. Activity.
   *
   * Calls of one process for one id share one `load`. With `load`, it waits while an older life of the id is
   * not archived, which is put first, for `maxTurnMs` at most; a life on the dead list is taken back to life.
   * Rejects with the codes of {@link getOrCreate}, with what `load` or `create` failed with, with
   * `ERR_SESSION_BUSY` where the wait was too long, and with `ERR_SESSION_REENTRANT` in a hook of the same
   * id.
   */
  async open(id: string, options: OpenOptions<T> & { readonly create: false }): Promise<T | undefined>
  async open(id: string, options?: OpenOptions<T>): Promise<T>
  async open(id: string, options?: OpenOptions<T>): Promise<T | undefined> {
    const { turns, options: resolved } = this.#components
    const outer = turns.outerTurn(checkRedisId(id))?.session
    const checked = checkOpen(options)
    if (outer !== undefined) return outer.value
    this.#gate.assertAdmitted()
    const snapshot = await this.#openCalls.open(id, checked)
    return snapshot === undefined ? undefined : resolved.codec.decode(snapshot.text)
  }

  /**
   * Takes the turn lock, runs `turn` on a copy of the session, saves what it changed and releases. Its end is
   * activity.
   *
   * Turns of one session run one at a time over all processes; in this one in the order asked. A turn that
   * rejects saves nothing. A `run` inside a running turn of the same id joins that turn at once. Rejects with
   * the codes of {@link open}, with `ERR_SESSION_BUSY`, `ERR_SESSION_TURN_TIMEOUT`, `signal.reason`; with
   * `ERR_SESSION_LOCK_LOST` if this process was not heard of for `leaseMs`, and with `ERR_SESSION_ENDED` if
   * the session was deleted or replaced meanwhile.
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
   * {@link run} for a turn that yields: an async generator function, whose parts the result hands on.
   *
   * The turn begins at the first `next()`. It ends, and is saved, when it has been read to its end or is left
   * (`break`, `return()`): that aborts its signal with an `AbortError` and runs its `finally`; what it yields
   * after that is dropped. One that fails is not saved. A stream whose signal aborts while nothing is being
   * read is ended as if it was left, and its next `next()` rejects with the reason. Its `finally` has
   * `turnGraceMs`; after that it is cut, and nothing of it is saved. A stream that is neither read nor left
   * keeps its session busy until `maxTurnMs`.
   *
   * Everything rejects the first `next()`, wrong arguments included, that would reject {@link run}; `waitMs`
   * counts from it. What is wrong with the save rejects the last one.
   */
  stream<Y>(
    id: string,
    turn: StreamTurn<T, Y>,
    options?: RunOptions<T>,
  ): AsyncGenerator<Y, unknown, undefined> {
    return new TurnStream(turn, (reading, signals) => this.#turnCalls.run(id, reading, options, signals))
  }

  /**
   * Returns the session of the turn that the caller is a part of, in the same async context: of the innermost
   * one, if turns of several sessions are nested. `undefined` outside of turns. Not activity.
   */
  current(): CurrentSession | undefined {
    return currentSession(innermostTurn<RedisTurnRun<T>, T>(this)?.session)
  }

  /**
   * Keeps a live session from ending, for all processes, until the hold is released, or for `maxMs` at most.
   * Activity, and so is its release.
   *
   * A hold whose time is up, and that was not renewed, is taken away with an `error` event of
   * `ERR_SESSION_TURN_TIMEOUT`. Rejects with `ERR_SESSION_OPTION_INVALID`.
   */
  async hold(id: string, options?: HoldOptions): Promise<RedisHold<T> | undefined> {
    checkRedisId(id)
    const { holds, options: resolved } = this.#components
    const maxMs = checkHold(options, resolved.maxHoldMs)
    this.#gate.admit()
    return this.#gate.state === 'open' ? holds.take(id, maxMs) : undefined
  }

  /**
   * {@link open} and {@link hold} in one step: nothing can end the session in between. Activity.
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
    // Inside a turn that was cut it is refused, as everything that would open the session.
    turns.outerTurn(checkRedisId(id))
    const checked = checkAcquire(options, resolved.maxHoldMs)
    this.#gate.admitNew()
    return holds.acquire(id, checked, this.#gate)
  }

  /**
   * Fulfils at a moment when no load, creation, save or archive of this process is under way: every hook that
   * was called has settled.
   *
   * It begins nothing and refuses nothing; running turns are not waited for, nor the pauses between two tries
   * of an archive, which any process may make. The process stays alive until then.
   */
  settled(): Promise<void> {
    return this.#components.pending.whenIdle()
  }

  /**
   * The lives that could not be archived: in each shard the id whose life failed the longest ago comes first,
   * with all of its lives. About a megabyte of values is read at a time.
   */
  async *deadSessions(): AsyncGenerator<DeadSession<T>, void, undefined> {
    if (!this.#gate.admit()) return
    yield* this.#operations.deadSessions()
  }

  /** The number of lives that could not be archived. */
  async deadCount(): Promise<number> {
    return this.#gate.admit() ? this.#operations.deadCount() : 0
  }

  /**
   * Lets all dead lives of an id, or without one of all ids, be archived again, with new attempts; returns
   * how many.
   *
   * The hook is told (`superseded`) of one that a younger life of its id has overtaken. Rejects as {@link
   * delete}.
   */
  async retryDead(id?: string): Promise<number> {
    if (id !== undefined) checkRedisId(id)
    this.#gate.assertAdmitted()
    return this.#operations.retryDead(id)
  }

  /**
   * Ends all dead lives of an id, or without one of all ids, with `'deleted'`; returns how many. Rejects as
   * {@link delete}.
   */
  async dropDead(id?: string): Promise<number> {
    if (id !== undefined) checkRedisId(id)
    this.#gate.assertAdmitted()
    return this.#operations.dropDead(id)
  }

  /**
   * Ends this process's part: refuses new work, waits for its turns, holds and archives until the deadline,
   * gives back what it has claimed, and looks at the deadlines no more. No session ends; the client stays
   * open. It settles within `deadlineMs` and the larger of `turnGraceMs` and `callTimeoutMs`, whatever Redis
   * does.
   *
   * The report counts what this process still archived; `failed` are the sessions whose archive the deadline
   * cut short: another process takes them over. Called again, it gives the same promise. Afterwards reads
   * find nothing.
   */
  close(options?: CloseOptions): Promise<CloseReport<T>> {
    if (this.#closePromise !== undefined) return this.#closePromise
    let deadlineMs: number
    try {
      deadlineMs = checkDeadline(options)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#gate.state = 'closing'
    this.#closePromise = shutDown(this.#components, deadlineMs).finally(() => {
      this.#gate.state = 'closed'
    })
    return this.#closePromise
  }

  /** Closes it, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #access(id: string, options: AccessOptions) {
    return this.#gate.admit() ? this.#operations.access(id, options) : undefined
  }
}
