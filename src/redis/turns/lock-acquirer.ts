import type { AsyncResource } from 'node:async_hooks'
import type { LinkedQueue } from '../../core/async/linked-queue.ts'
import {
  isSessionRegistryError,
  type SessionRegistryError,
} from '../../core/errors/session-registry-error.ts'
import { busyError, notOwnerError, queueFullError } from '../../core/errors/turn-errors.ts'
import type { CreateSession } from '../../core/hooks.ts'
import { type Backoff, backoffMs, jitter } from '../../core/time/backoff.ts'
import type { SharedHold, SharedHolds } from '../holds/shared-holds.ts'
import type { SessionLoader } from '../loading/loader.ts'
import type { FailedLoad, OpenRequest } from '../loading/pending-open.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { pause } from '../pause.ts'
import type { IncarnationRef } from '../storage/keys.ts'
import { noChanges } from '../storage/session-changes.ts'
import type { SessionSnapshot } from '../storage/session-snapshot.ts'
import type { SessionStore } from '../storage/session-store.ts'
import type { LocalTurnQueue, LockAttempt } from './local-turn-queue.ts'
import type { RedisTurnRun } from './turn-run.ts'

/** The pauses between attempts for a lock that another process has. */
const lockBackoff: Backoff = { firstMs: 10, maxMs: 100, factor: 1.5 }

/** A session that is held for a turn that joins. */
export interface JoinedSession<T> {
  readonly snapshot: SessionSnapshot
  readonly hold: SharedHold<T>
}

/**
 * The acquisition of a session for a turn: the lock or a hold is taken; an absent session is loaded or
 * created first.
 */
export class LockAcquirer<T> {
  readonly #store: SessionStore<T>
  readonly #loader: SessionLoader<T>
  readonly #holds: SharedHolds<T>
  readonly #options: ResolvedRedisOptions<T>

  constructor(
    store: SessionStore<T>,
    loader: SessionLoader<T>,
    holds: SharedHolds<T>,
    options: ResolvedRedisOptions<T>,
  ) {
    this.#store = store
    this.#loader = loader
    this.#holds = holds
    this.#options = options
  }

  /**
   * Takes the lock for the turn that is first in the queue by then. Returns `undefined` when no turn in it
   * needs it any more; a lock that was taken all the same is released.
   *
   * Rejects with the error of the factory, and with the codes of the store.
   */
  async acquire(queue: LocalTurnQueue<T>, attempt: LockAttempt): Promise<SessionSnapshot | undefined> {
    const { id } = queue
    const { token, signal } = attempt
    const snapshot = await this.#acquire(queue, attempt)
    if (snapshot !== undefined && !signal.aborted) return snapshot
    if (snapshot !== undefined) void this.release(snapshot, token)
    else if (attempt.isQueued) this.#store.withdraw(id, token).catch(() => {})
    return undefined
  }

  async #acquire(queue: LocalTurnQueue<T>, attempt: LockAttempt): Promise<SessionSnapshot | undefined> {
    const { id, runs } = queue
    const { token, signal } = attempt
    const takes = { kind: 'turn', token } as const
    for (let tries = 1; ; ) {
      const head = runs.first
      if (signal.aborted || head === undefined) return undefined
      const waits = head.whenBusy !== 'reject'
      const interrupts = head.whenBusy === 'interrupt'
      const { owner } = head
      const options = { touches: true, reads: true, takes, interrupts, waits, owner }
      const accessed = await unlessNotOwner(this.#store.access(id, options), head)
      if (accessed === undefined) continue
      attempt.isQueued = waits && accessed.state === 'live' && !accessed.isAcquired
      if (accessed.state === 'live') {
        if (accessed.isAcquired) return accessed.snapshot
        queue.rejectOtherOwners(accessed.snapshot.owner)
        rejectNonWaiting(runs)
        if (this.#options.maxWaiting === 0) reject(runs.first, queueFullError(0))
        await pause(jitter(backoffMs(tries, lockBackoff)), { signal }).elapsed
        tries += 1
      } else if (signal.aborted) {
        return undefined
      } else if (!head.mayCreate) {
        head.entry?.remove()
        head.succeed(undefined)
      } else if (accessed.awaitsArchive && !waits && this.#options.load !== undefined) {
        reject(head, busyError())
      } else {
        const opened = await this.#loader.materialize(id, new QueueRequest(head, queue, attempt))
        if (opened.state === 'created' && opened.token === token) return opened.snapshot
        if (opened.state === 'refused') queue.rejectOtherOwners(opened.sessionOwner)
        if (opened.state === 'absent') {
          head.entry?.remove()
          head.succeed(undefined)
        }
      }
    }
  }

  /**
   * Takes a hold for a turn that joins, whatever turn has the lock; `undefined` when the turn does not need
   * it any more.
   */
  async acquireHold(run: RedisTurnRun<T>): Promise<JoinedSession<T> | undefined> {
    const { id, owner } = run
    while (run.phase === 'waiting') {
      const accessed = await this.#holds.take(id, run, owner)
      if (accessed.state === 'live') {
        if (run.phase === 'waiting') return accessed
        this.#holds.release(accessed.hold, run).catch(() => {})
        return undefined
      }
      if (run.phase !== 'waiting') return undefined
      const { maxWaiting } = this.#options
      if (this.#loader.waitingCount(id) > maxWaiting) throw queueFullError(maxWaiting)
      const { create, controller, context } = run
      const request = { create, token: '', signal: controller.signal, owner, context }
      const opened = await this.#loader.materialize(id, request)
      if (opened.state === 'refused') throw notOwnerError()
      if (opened.state === 'absent') run.succeed(undefined)
    }
    return undefined
  }

  /** Releases a lock without saving. If Redis does not reply, the lease lapses. */
  async release({ id, incarnation }: IncarnationRef, token: string): Promise<void> {
    try {
      await this.#store.commit({ id, incarnation, kind: 'turn', token }, noChanges, '')
    } catch {}
  }
}

/**
 * The request of a queue of turns for their session: that of the first of them to ask, while it waits, and
 * then of another. One that creates nothing speaks for the others only when none of them does.
 */
class QueueRequest<T> implements OpenRequest<T> {
  readonly token: string
  readonly signal: AbortSignal
  readonly #head: RedisTurnRun<T>
  readonly #queue: LocalTurnQueue<T>
  /** The turn for which a value was made last, by its own factory. */
  #maker: RedisTurnRun<T> | undefined = undefined

  constructor(head: RedisTurnRun<T>, queue: LocalTurnQueue<T>, { token, signal }: LockAttempt) {
    this.token = token
    this.signal = signal
    this.#head = head
    this.#queue = queue
  }

  get create(): boolean | CreateSession<T> {
    return createOf(this.#speaker)
  }

  get owner(): string | undefined {
    return this.#speaker.owner
  }

  get context(): AsyncResource | undefined {
    return this.#speaker.context
  }

  onAbsent(): void {
    for (const run of this.#queue.runs) {
      if (createOf(run) !== false) continue
      run.entry?.remove()
      run.succeed(undefined)
    }
  }

  onLoadFailed({ owner, error }: FailedLoad): void {
    this.#queue.rejectOwner(owner, error)
  }

  onMaking(): void {
    this.#maker = this.#speaker
  }

  onMakingFailed(error: unknown): void {
    this.#maker?.entry?.remove()
    this.#maker?.fail(error, 'settled')
  }

  get #speaker(): RedisTurnRun<T> {
    const head = this.#head
    if (head.phase === 'waiting' && createOf(head) !== false) return head
    const waiting = [...this.#queue.runs]
    return waiting.find((run) => createOf(run) !== false) ?? waiting[0] ?? head
  }
}

function createOf<T>(run: RedisTurnRun<T>): boolean | CreateSession<T> {
  return run.mayCreate && run.create
}

/**
 * Returns the result of a call for a turn; `undefined`, and the turn is rejected, if it is not its owner's.
 */
async function unlessNotOwner<R, T>(call: Promise<R>, run: RedisTurnRun<T>): Promise<R | undefined> {
  try {
    return await call
  } catch (error) {
    if (!isSessionRegistryError(error, 'ERR_SESSION_NOT_OWNER')) throw error
    reject(run, error)
    return undefined
  }
}

/** Rejects the turns that do not wait for a running one. */
function rejectNonWaiting<T>(runs: LinkedQueue<RedisTurnRun<T>>): void {
  for (const run of runs) {
    if (run.whenBusy === 'reject') reject(run, busyError())
  }
}

function reject<T>(run: RedisTurnRun<T> | undefined, error: SessionRegistryError): void {
  run?.entry?.remove()
  run?.fail(error, 'settled')
}
