import { type CloseOptions, type CreateOptions, checkDeadline, checkTimeout } from '../core/call-options.ts'
import { checkRun } from '../core/check-run.ts'
import type { CloseReport } from '../core/close-report.ts'
import type { SessionEvents } from '../core/events.ts'
import type { CreateSession } from '../core/hooks.ts'
import { closed } from '../core/refusals.ts'
import { RegistryEmitter } from '../core/registry-emitter.ts'
import type { Session } from '../core/session.ts'
import type { SessionSource } from '../core/session-source.ts'
import type { RegistryStats } from '../core/stats.ts'
import type { RunOptions, Turn } from '../core/turn.ts'
import { checkFunction, invalidOption } from '../core/validate.ts'
import { Access } from './access.ts'
import { closeParts } from './closing.ts'
import type { DeadSession } from './dead-sessions.ts'
import type { RedisHold } from './holds.ts'
import { checkRedisId } from './id.ts'
import { type RedisSessionRegistryOptions, resolveRedisOptions } from './options.ts'
import { assemble, type RedisParts } from './parts.ts'
import type { EnterOptions } from './session-store.ts'
import { RedisTurnRun } from './turn-run.ts'

/**
 * The registry of many processes that share one Redis or Valkey: the words of `SessionRegistry`, with results that are
 * promises.
 *
 * What is handed out is a copy: a change is kept by `run` or by `set`, by nothing else. Every member rejects with
 * `ERR_SESSION_BACKEND_UNAVAILABLE` or `ERR_SESSION_BACKEND_FAILED` where Redis does not answer or refuses, with
 * `ERR_SESSION_SHARDS_MISMATCH` where the data were divided otherwise, and with `ERR_SESSION_ID_INVALID` for a wrong id.
 *
 * @example
 * const registry = new RedisSessionRegistry<string[]>({ client, timeoutMs: 20 * 60_000, create: () => [] })
 * await registry.run('ada', (session) => session.value.push('hello'))
 */
export class RedisSessionRegistry<T>
  extends RegistryEmitter<SessionEvents<T>>
  implements SessionSource<T>, AsyncDisposable
{
  readonly #parts: RedisParts<T>
  readonly #access: Access<T>
  #closed: Promise<CloseReport<T>> | undefined
  #isClosed = false

  /** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
  constructor(options: RedisSessionRegistryOptions<T>) {
    super()
    this.#parts = assemble(this, resolveRedisOptions(options))
    this.#access = new Access(this.#parts)
  }

  /** Sessions of all processes: those that are over but not yet claimed are counted, those being archived are not. */
  async size(): Promise<number> {
    return this.#begin() ? this.#parts.walks.size() : 0
  }

  /**
   * The value of the live session, or of a new one. Activity.
   *
   * The call's own `create` wins over the registry's. Rejects with `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_NO_FACTORY`,
   * `ERR_SESSION_VALUE_INVALID`, `ERR_SESSION_REGISTRY_FULL`, `ERR_SESSION_REGISTRY_CLOSED`, and with `ERR_SESSION_NEEDS_OPEN` where the session would
   * have to be loaded.
   */
  async getOrCreate(id: string, create?: CreateSession<T>, options?: CreateOptions): Promise<T> {
    checkRedisId(id)
    if (create !== undefined) checkFunction('create', create)
    const { options: resolved, teller, turns } = this.#parts
    const timeoutMs = checkTimeout(options) ?? resolved.timeoutMs
    const own = turns.sessionInTurn(id)
    if (own !== undefined) return own.value
    const access = this.#openAccess()
    for (;;) {
      const life = await access.live(id, { touches: true, reads: true })
      if (life !== undefined) {
        teller.counters.hits += 1
        return resolved.codec.decode(life.text)
      }
      teller.counters.misses += 1
      const isClosing = this.#closed !== undefined
      const made = await access.make(id, create ?? resolved.create, timeoutMs, isClosing)
      if (made !== undefined) return resolved.codec.decode(made.text)
    }
  }

  /** The value of the live session. Activity. Rejects with `ERR_SESSION_VALUE_INVALID`. */
  async get(id: string): Promise<T | undefined> {
    const { teller, options } = this.#parts
    const own = this.#parts.turns.sessionInTurn(checkRedisId(id))
    if (own !== undefined) return own.value
    const life = await this.#live(id, { touches: true, reads: true })
    if (life === undefined) teller.counters.misses += 1
    else teller.counters.hits += 1
    return life === undefined ? undefined : options.codec.decode(life.text)
  }

  /**
   * Starts a session with this value. Activity. A live session of the id ends with `'replaced'` and is not archived.
   *
   * Rejects with `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_VALUE_INVALID`, `ERR_SESSION_REGISTRY_FULL`,
   * `ERR_SESSION_REGISTRY_CLOSED`.
   */
  async set(id: string, value: T, options?: CreateOptions): Promise<this> {
    checkRedisId(id)
    const timeoutMs = checkTimeout(options) ?? this.#parts.options.timeoutMs
    if (!this.#begin() || this.#closed !== undefined) throw closed()
    await this.#access.set(id, value, timeoutMs)
    return this
  }

  /** Whether there is a live session; its idle time starts again. Activity. */
  async touch(id: string): Promise<boolean> {
    if (this.#parts.turns.sessionInTurn(checkRedisId(id)) !== undefined) return true
    return (await this.#live(id, { touches: true })) !== undefined
  }

  /** The live session with its times as they are now, a copy; in a turn of the id, the session of the turn. Not activity. */
  async peek(id: string): Promise<Session<T> | undefined> {
    const own = this.#parts.turns.sessionInTurn(checkRedisId(id))
    if (own !== undefined) return own
    const life = await this.#live(id, { reads: true })
    return life === undefined ? undefined : this.#parts.teller.sessionOf(life)
  }

  /** Whether there is a live session. Not activity. */
  async has(id: string): Promise<boolean> {
    return (await this.#live(checkRedisId(id), {})) !== undefined
  }

  /**
   * Ends a session at once, held or being archived or not, and says whether there was one.
   *
   * A running turn's signal is aborted: at once in this process, at its next renewal in another. What was given up stays
   * on the dead list, and is not taken back to life any more; what an earlier archive has stored is yours to remove. Rejects
   * with `ERR_SESSION_REGISTRY_CLOSED`.
   */
  async delete(id: string): Promise<boolean> {
    checkRedisId(id)
    return this.#openAccess().delete(id)
  }

  /** Deletes all sessions of all processes, being archived or not, one by one; says how many. Rejects as {@link delete}. */
  async clear(): Promise<number> {
    return this.#openAccess().clear()
  }

  /**
   * Claims, now, all sessions that are over and not held, to end or archive them here; returns how many. None in an observer,
   * nor in a process without `archive` where others have one.
   */
  async sweep(): Promise<number> {
    return this.#begin() && this.#closed === undefined ? this.#parts.poller.sweep() : 0
  }

  /** The ids of live sessions of all processes, least recently active first in each shard. Not activity. */
  async *keys(): AsyncGenerator<string, void, undefined> {
    if (!this.#begin()) return
    for await (const { id } of this.#access.names()) yield id
  }

  /** The values of live sessions; see {@link keys}. One that cannot be decoded is left out, with an `error` event. */
  async *values(): AsyncGenerator<T, void, undefined> {
    for await (const [, value] of this) yield value
  }

  /** The live sessions; see {@link keys}. */
  async *sessions(): AsyncGenerator<Session<T>, void, undefined> {
    if (!this.#begin()) return
    for await (const life of this.#access.lives()) yield this.#parts.teller.sessionOf(life)
  }

  /** Pairs of id and value of live sessions; see {@link values}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<[id: string, value: T], void, undefined> {
    if (this.#begin()) yield* this.#access.entries()
  }

  /** `size` is of all processes; all else is of this one. */
  async stats(): Promise<RegistryStats> {
    const { turns, holds, archiver, teller } = this.#parts
    const { listenerErrors } = teller.announcer
    const size = await this.size()
    const held = turns.heldCount + holds.count
    const running = turns.heldCount
    const waiting = turns.count - running
    const archiving = archiver.count
    return teller.counters.snapshot({ size, held, running, waiting, archiving, listenerErrors })
  }

  /**
   * The value of the session: the live one's, else loaded, else created. Activity.
   *
   * Calls of one process for one id share one `load`. With `load`, it waits while an older life of the id is not archived,
   * which is put first, for `maxTurnMs` at most; a life on the dead list is taken back to life. Rejects with the codes of
   * {@link getOrCreate}, with what `load` or `create` failed with, with `ERR_SESSION_BUSY` where the wait was too long, and
   * with `ERR_SESSION_REENTRANT` in a hook of the same id.
   */
  async open(id: string): Promise<T> {
    const { turns, teller, opener, store, options } = this.#parts
    const outer = turns.outerTurn(checkRedisId(id))?.session
    if (outer !== undefined) return outer.value
    if (!this.#begin()) throw closed()
    for (let isFirst = true; ; isFirst = false) {
      const entered = await store.enter(id, { touches: true, reads: true })
      const isLive = entered.state === 'live'
      if (isFirst && isLive) teller.counters.hits += 1
      else if (isFirst) teller.counters.misses += 1
      if (isLive) return options.codec.decode(entered.life.text)
      if (this.#closed !== undefined) throw closed()
      const brought = await opener.bring(id, { create: true, token: '' })
      if (brought.state === 'created') return options.codec.decode(brought.life.text)
    }
  }

  /**
   * Takes the turn lock, runs `turn` on a copy of the session, saves what it changed and releases. Its end is activity.
   *
   * Turns of one session run one at a time over all processes; in this one in the order asked. A turn that rejects saves
   * nothing. A `run` inside a running turn of the same id joins that turn at once. Rejects with the codes of {@link open},
   * with `ERR_SESSION_BUSY`, `ERR_SESSION_TURN_TIMEOUT`, `signal.reason`; with `ERR_SESSION_LOCK_LOST` if this process
   * was not heard of for `leaseMs`, and with `ERR_SESSION_ENDED` if the session was deleted or replaced meanwhile.
   */
  run<R>(
    id: string,
    turn: Turn<T, R>,
    options: RunOptions & { readonly create: false },
  ): Promise<R | undefined>
  run<R>(id: string, turn: Turn<T, R>, options?: RunOptions): Promise<R>
  run<R>(id: string, turn: Turn<T, R>, options?: RunOptions): Promise<R | undefined> {
    return new Promise<R | undefined>((resolve, reject) => {
      const { whenBusy, signal, create } = checkRun<T, R>(checkRedisId(id), turn, options)
      if (typeof create === 'function') throw invalidOption('create', 'a boolean', create)
      if (signal?.aborted === true) throw signal.reason
      const { turns } = this.#parts
      const outer = turns.outerTurn(id)
      this.#begin()
      if (outer === undefined && this.#closed !== undefined) {
        const joinsRunning = !this.#isClosed && whenBusy === 'join' && turns.isRunning(id)
        if (!joinsRunning) throw closed()
      }
      const settle = { resolve: resolve as (result: unknown) => void, reject }
      turns.start(new RedisTurnRun<T>({ id, turn, whenBusy, create, outer, ...settle }), signal)
    })
  }

  /**
   * Keeps a live session from ending, for all processes, until the hold is released, or for `maxTurnMs` at most. Activity,
   * and so is its release.
   */
  async hold(id: string): Promise<RedisHold | undefined> {
    checkRedisId(id)
    return this.#begin() && this.#closed === undefined ? this.#parts.holds.take(id) : undefined
  }

  /**
   * The lives that could not be archived: in each shard the id whose life failed the longest ago comes first, with all of
   * its lives. About a megabyte of values is read at a time.
   */
  async *deadSessions(): AsyncGenerator<DeadSession<T>, void, undefined> {
    if (!this.#begin()) return
    yield* this.#access.dead()
  }

  /** The number of lives that could not be archived. */
  async deadCount(): Promise<number> {
    return this.#begin() ? this.#access.deadCount() : 0
  }

  /**
   * Lets all dead lives of an id, or without one of all ids, be archived again, with new attempts; returns how many.
   *
   * The hook is told (`superseded`) of one that a younger life of its id has overtaken. Rejects as {@link delete}.
   */
  async retryDead(id?: string): Promise<number> {
    if (id !== undefined) checkRedisId(id)
    return this.#openAccess().retryDead(id)
  }

  /** Ends all dead lives of an id, or without one of all ids, with `'deleted'`; returns how many. Rejects as {@link delete}. */
  async dropDead(id?: string): Promise<number> {
    if (id !== undefined) checkRedisId(id)
    return this.#openAccess().dropDead(id)
  }

  /**
   * Ends this process's part: refuses new work, waits for its turns, holds and archives until the deadline, gives back what
   * it has claimed, and looks at the deadlines no more. No session ends; the client stays open. It settles within `deadlineMs`
   * and the larger of `turnGraceMs` and `callTimeoutMs`, whatever Redis does.
   *
   * The report counts what this process still archived; `failed` are the sessions whose archive the deadline cut short:
   * another process takes them over. Called again, it gives the same promise. Afterwards reads find nothing.
   */
  close(options?: CloseOptions): Promise<CloseReport<T>> {
    if (this.#closed !== undefined) return this.#closed
    let deadlineMs: number
    try {
      deadlineMs = checkDeadline(options)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#closed = closeParts(this.#parts, deadlineMs).finally(() => {
      this.#isClosed = true
    })
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Any call lets the poller begin. Whether there is still something to call. */
  #begin(): boolean {
    if (this.#closed === undefined) this.#parts.poller.start()
    return !this.#isClosed
  }

  /** For what must not seem to be done: the sessions live on when this registry is closed. */
  #openAccess(): Access<T> {
    if (!this.#begin()) throw closed()
    return this.#access
  }

  async #live(id: string, options: EnterOptions) {
    return this.#begin() ? this.#access.live(id, options) : undefined
  }
}
