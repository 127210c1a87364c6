import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type FullClock, nextLoopIteration, realClock, Timer } from '../../core/time/clock.ts'
import { jitter, pause } from '../pause.ts'
import type { RunScript } from './client.ts'
import { redactArguments } from './client-error.ts'
import {
  backendFailedError,
  backendUnavailableError,
  classify,
  needsClusterClientError,
  unsupportedClientError,
} from './failure.ts'
import { type Reply, readReply } from './reply.ts'
import type { Script } from './script.ts'
import { ServerClock } from './server-clock.ts'

/** How long after a failover the client may still talk to the old master. */
const readOnlyRetryBudgetMs = 1_000

/** How long the server remembers an operation at the least. */
const minOperationTtlMs = 10_000

/**
 * A call may be carried out until shortly before it is given up, so that its answer still comes in time: this
 * part of `callTimeoutMs` before, and no more than so many milliseconds.
 */
const replyMarginShare = 1 / 20
const maxReplyMarginMs = 100

/**
 * How late a call is given up where this process stood still meanwhile; a busy event loop is late by less.
 */
const stallMs = 500

const firstBackoffMs = 20
const maxBackoffMs = 400

export interface RetryingCallOptions {
  /** Whether the process stays alive between two tries. */
  readonly keepsAlive: boolean
  /** Monotonic time from which the call has `callTimeoutMs`, where it is not that of the call. */
  readonly startedAt?: number | undefined
  /**
   * Called with the answer where it comes after the call was given up: the script was carried out in time,
   * but its caller was told that it failed. For what has to be undone then, such as a lock that was taken.
   */
  readonly onLate?: ((answer: unknown) => void) | undefined
}

/** A call that is under way, with all its tries. */
interface PendingCall {
  readonly script: Script
  readonly keys: readonly string[]
  readonly args: readonly string[]
  /** Monotonic time at which it is given up. */
  deadlineAt: number
  /** Set when it has been given up. */
  onLate: ((answer: unknown) => void) | undefined
}

/**
 * Calls scripts, and repeats what got no answer, with the very same arguments, for `callTimeoutMs`.
 *
 * Every script bears a repetition: its arguments name the life, the lock or the operation, so that what an
 * earlier try has done is recognised and answered again. And every script has a deadline in the server's
 * time: what was given up here is not carried out later.
 */
export class RetryingCaller {
  readonly #run: RunScript
  readonly #callTimeoutMs: number
  readonly #replyMarginMs: number
  readonly #operationTtl: string
  readonly #clock: FullClock
  readonly #serverClock = new ServerClock()
  #hasReplied = false

  constructor(run: RunScript, callTimeoutMs: number, clock: FullClock = realClock) {
    this.#run = run
    this.#callTimeoutMs = callTimeoutMs
    this.#replyMarginMs = Math.min(callTimeoutMs * replyMarginShare, maxReplyMarginMs)
    this.#operationTtl = String(Math.max(minOperationTtlMs, 2 * callTimeoutMs))
    this.#clock = clock
  }

  /**
   * Rejects with `ERR_SESSION_BACKEND_UNAVAILABLE`, `ERR_SESSION_BACKEND_FAILED`, or with
   * `ERR_SESSION_OPTION_INVALID` where the client hands out what no script answers.
   */
  async call(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    { keepsAlive, startedAt = this.#clock.now(), onLate }: RetryingCallOptions,
  ): Promise<unknown> {
    const call: PendingCall = {
      script,
      keys,
      args,
      deadlineAt: startedAt + this.#callTimeoutMs,
      onLate: undefined,
    }
    try {
      return await this.#retry(call, startedAt, keepsAlive)
    } catch (error) {
      call.onLate = onLate
      throw error
    }
  }

  async #retry(call: PendingCall, startedAt: number, keepsAlive: boolean): Promise<unknown> {
    let backoffMs = firstBackoffMs
    let wasRefused = false
    let hasStalled = false
    for (;;) {
      let waitMs = jitter(backoffMs)
      let cause: Error
      try {
        const reply = await this.#attemptInTime(call)
        if (!reply.isRefused) return reply.result
        cause = new Error('The server found the call too late')
        // Its clock is known better now: after the first refusal there is nothing to wait for.
        if (!wasRefused) waitMs = 0
        wasRefused = true
      } catch (error) {
        if (isSessionRegistryError(error)) throw error
        cause = redactArguments(error, call.keys)
        const failure = classify(error)
        const elapsedMs = this.#clock.now() - startedAt + waitMs
        if (failure === 'rejected' || (failure === 'readOnly' && elapsedMs > readOnlyRetryBudgetMs)) {
          throw backendFailedError(cause)
        }
        if (failure === 'moved') throw needsClusterClientError(cause)
        // A client that has answered before is no wrong one.
        if (failure === 'misused')
          throw this.#hasReplied ? backendFailedError(cause) : unsupportedClientError(cause)
      }
      const now = this.#clock.now()
      if (!hasStalled && now - call.deadlineAt > stallMs) {
        // This process stood still, and its client may have lost what was answered meanwhile: one more
        // chance.
        hasStalled = true
        call.deadlineAt = now + this.#callTimeoutMs
      }
      if (now + waitMs > call.deadlineAt) throw backendUnavailableError(cause)
      if (waitMs > 0) {
        await pause(waitMs, { keepsAlive, clock: this.#clock }).elapsed
        backoffMs = Math.min(backoffMs * 2, maxBackoffMs)
      }
    }
  }

  /**
   * One try. A client that waits for its connection may keep a command for ever: we do not wait that long.
   */
  #attemptInTime(call: PendingCall): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(new Error(`No answer within ${this.#callTimeoutMs} ms`))
      // The process may have been blocked or stopped: an answer that lies in the socket is read first.
      const onTimeout = () =>
        nextLoopIteration(() => nextLoopIteration(giveUp, { keepsAlive: true }), { keepsAlive: true })
      const timer = new Timer(this.#clock, onTimeout, Math.max(call.deadlineAt - this.#clock.now(), 1))
      const settle =
        <V>(settled: (value: V) => void) =>
        (value: V) => {
          timer.cancel()
          settled(value)
        }
      this.#attempt(call).then(settle(resolve), settle(reject))
    })
  }

  async #attempt(call: PendingCall): Promise<Reply> {
    const { script, keys, args, deadlineAt } = call
    const shard = hashTagOf(keys)
    const sentAt = this.#clock.now()
    // Where the server's time is not known yet, a script that writes is refused, which tells it.
    const known = this.#serverClock.serverTimeAt(shard, deadlineAt - this.#replyMarginMs)
    const notAfter = known ?? (script.isReadOnly ? Number.MAX_SAFE_INTEGER : 0)
    const reply = readReply(await this.#run(script, keys, [...args, String(notAfter), this.#operationTtl]))
    if (reply === undefined) throw unsupportedClientError()
    this.#hasReplied = true
    this.#serverClock.observe(shard, reply.now, sentAt, this.#clock.now())
    if (!reply.isRefused) {
      const { onLate } = call
      call.onLate = undefined
      onLate?.(reply.result)
    }
    return reply
  }
}

/** The hash tag that all keys of a shard bear. */
function hashTagOf([key = '']: readonly string[]): string {
  return key.slice(0, key.indexOf('}') + 1)
}
