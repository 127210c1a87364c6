import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type Backoff, backoffMs, jitter } from '../../core/time/backoff.ts'
import { type FullClock, nextLoopIteration, realClock, Timer } from '../../core/time/clock.ts'
import { pause } from '../pause.ts'
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

/** How long after a failover a client may still be connected to the old master, in milliseconds. */
const readOnlyRetryBudgetMs = 1_000

/** The shortest time for which the server remembers an operation, in milliseconds. */
const minOperationTtlMs = 10_000

/**
 * How long before its deadline a script refuses to run, so that its reply still arrives in time: a share of
 * `callTimeoutMs`, and a maximum in milliseconds.
 */
const replyMarginShare = 1 / 20
const maxReplyMarginMs = 100

/**
 * A delay of the deadline that shows that the process was suspended, in milliseconds; a busy event loop
 * delays it by less.
 */
const stallMs = 500

/** The pauses between tries of a call that got no answer. */
const callBackoff: Backoff = { firstMs: 20, maxMs: 400 }

export interface RetryingCallOptions {
  /** Whether the process stays alive during a backoff. */
  readonly keepsAlive: boolean
  /** Monotonic time from which `callTimeoutMs` counts; by default that of the call. */
  readonly startedAt?: number | undefined
  /**
   * Called with a result that arrives after the call was rejected with a timeout: the script ran in time. For
   * what has to be undone then, such as a lock that was taken.
   */
  readonly onLate?: ((result: unknown) => void) | undefined
}

/** A call with all its attempts. */
interface PendingCall {
  readonly script: Script
  readonly keys: readonly string[]
  readonly args: readonly string[]
  /** Monotonic time at which it is rejected. */
  deadlineAt: number
  /** Set once it was rejected. */
  onLate: ((result: unknown) => void) | undefined
}

/**
 * A caller of scripts that repeats what got no reply, for `callTimeoutMs` and with the same arguments.
 *
 * Every script may be repeated: its arguments name the incarnation, the lock or the operation, so that it
 * recognises what an earlier attempt did, and replies as it did then. Every script has a deadline in server
 * time: what was rejected here does not run later.
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
   * Returns the result of a script.
   *
   * Rejects with `ERR_SESSION_BACKEND_UNAVAILABLE`, `ERR_SESSION_BACKEND_FAILED`, or with
   * `ERR_SESSION_OPTION_INVALID` where the client does not return the reply of a script.
   */
  call(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    { keepsAlive, startedAt = this.#clock.now(), onLate }: RetryingCallOptions,
  ): Promise<unknown> {
    const deadlineAt = startedAt + this.#callTimeoutMs
    const call: PendingCall = { script, keys, args, deadlineAt, onLate: undefined }
    const result = this.#retry(call, startedAt, keepsAlive)
    if (onLate === undefined) return result
    return result.catch((error) => {
      call.onLate = onLate
      throw error
    })
  }

  async #retry(call: PendingCall, startedAt: number, keepsAlive: boolean): Promise<unknown> {
    let attempt = 1
    let wasRefused = false
    let hasStalled = false
    for (;;) {
      let waitMs = jitter(backoffMs(attempt, callBackoff))
      let cause: Error
      try {
        const reply = await this.#attemptInTime(call)
        if (!reply.isRefused) return reply.result
        cause = new Error('The server found the call too late')
        // Now the server's clock is known: after the first refusal there is nothing to wait for.
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
        // A client that has worked before is not of a wrong kind.
        if (failure === 'misused')
          throw this.#hasReplied ? backendFailedError(cause) : unsupportedClientError(cause)
      }
      const now = this.#clock.now()
      if (!hasStalled && now - call.deadlineAt > stallMs) {
        // This process was suspended, and its client may have lost a reply meanwhile: one more chance.
        hasStalled = true
        call.deadlineAt = now + this.#callTimeoutMs
      }
      if (now + waitMs > call.deadlineAt) throw backendUnavailableError(cause)
      if (waitMs > 0) {
        await pause(waitMs, { keepsAlive, clock: this.#clock }).elapsed
        attempt += 1
      }
    }
  }

  /**
   * Makes one attempt, which ends at the deadline: a client may queue a command for ever while it connects.
   */
  #attemptInTime(call: PendingCall): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const giveUp = () =>
        reject(
          new Error(`No reply within ${this.#callTimeoutMs} ms; the client's own 'error' events say more`),
        )
      // The process may have been suspended: a reply that lies in the socket is read first.
      const onTimeout = () =>
        nextLoopIteration(() => nextLoopIteration(giveUp, { keepsAlive: true }), { keepsAlive: true })
      const sentAt = this.#clock.now()
      const timer = new Timer(this.#clock, onTimeout, Math.max(call.deadlineAt - sentAt, 1))
      this.#send(call)
        .then(
          (answer) => {
            timer.cancel()
            return this.#receive(call, answer, sentAt)
          },
          (error) => {
            timer.cancel()
            throw error
          },
        )
        .then(resolve, reject)
    })
  }

  #send({ script, keys, args, deadlineAt }: PendingCall): Promise<unknown> {
    // While the server's time is unknown, a script that writes is refused, and its refusal brings the time.
    const known = this.#serverClock.serverTimeAt(hashTagOf(keys), deadlineAt - this.#replyMarginMs)
    const notAfter = known ?? (script.isReadOnly ? Number.MAX_SAFE_INTEGER : 0)
    return this.#run(script, keys, [...args, String(notAfter), this.#operationTtl])
  }

  #receive(call: PendingCall, answer: unknown, sentAt: number): Reply {
    const reply = readReply(answer)
    if (reply === undefined) throw unsupportedClientError()
    this.#hasReplied = true
    this.#serverClock.observe(hashTagOf(call.keys), reply.now, sentAt, this.#clock.now())
    if (!reply.isRefused) {
      const { onLate } = call
      call.onLate = undefined
      onLate?.(reply.result)
    }
    return reply
  }
}

/** Returns the hash tag of the shard of these keys. */
function hashTagOf([key = '']: readonly string[]): string {
  return key.slice(0, key.indexOf('}') + 1)
}
