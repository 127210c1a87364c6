import { startTimer } from '../async/contained-timer.ts'
import { HookCall, type HookHost, type HookSignal } from '../async/hook-call.ts'
import { isSessionRegistryError, type SessionRegistryError } from '../errors/session-registry-error.ts'
import { storeFailedError, storeTimeoutError } from '../errors/store-errors.ts'
import type { Timer } from '../time/clock.ts'

/** The pauses before the second and the third try of a save, in milliseconds: a hiccup, then a restart. */
const pausesMs = [250, 750]

/** Receives the outcome of a save: without an error, the store has the session. */
export type SaveOutcome = (error?: unknown) => void

/** A write of a session to make. */
export interface SaveInit {
  readonly id: string
  /** The name of its incarnation, which is read only if a try is published. */
  readonly incarnationOf: () => string
  readonly write: (signal: AbortSignal) => Promise<void>
  /** The longest time that one try may take, in milliseconds. */
  readonly timeoutMs: number
}

/**
 * One save of a live session, over all its tries: three at most, and one where the store has a conflict. A
 * caller waits for it, so it keeps the process alive.
 */
export class Save {
  readonly #host: HookHost
  readonly #init: SaveInit
  readonly #onDone: SaveOutcome
  #tries = 0
  #call: HookCall<void> | undefined
  #pause: Timer | undefined

  constructor(host: HookHost, init: SaveInit, onDone: SaveOutcome) {
    this.#host = host
    this.#init = init
    this.#onDone = onDone
  }

  start(): void {
    this.#host.pending.begin()
    this.#host.step.events.context.run(() => this.#try())
  }

  abort(error: SessionRegistryError): void {
    this.#call?.abort(error)
    this.#finish(error)
  }

  #try(): void {
    const { id, incarnationOf, write, timeoutMs } = this.#init
    this.#tries += 1
    const attempt = this.#tries
    const { channels } = this.#host.step
    const init = {
      id,
      call: ({ signal }: HookSignal) => write(signal),
      timeoutMs,
      timeoutError: storeTimeoutError,
      timerFailure: 'a save could not be timed',
      keepsAlive: true,
      trace: channels.trace('save', id, () => ({ incarnation: incarnationOf(), attempt })),
    } as const
    this.#call = new HookCall<void>(this.#host, init, {
      onFulfilled: () => this.#finish(),
      onRejected: (error) => this.#onFailed(error),
    })
    this.#call.start()
  }

  #onFailed(error: unknown): void {
    if (isSessionRegistryError(error, 'ERR_SESSION_STORE_CONFLICT')) {
      this.#finish(error)
      return
    }
    const pauseMs = pausesMs[this.#tries - 1]
    if (pauseMs === undefined) {
      this.#finish(storeFailedError('write the session', error))
      return
    }
    const { step, clock } = this.#host
    const options = { keepsAlive: true, catchesUp: true }
    const host = { clock, events: step.events }
    this.#pause = startTimer(host, () => this.#try(), pauseMs, 'a save could not be timed', options)
    if (this.#pause === undefined) this.#try()
  }

  #finish(error?: unknown): void {
    this.#pause?.cancel()
    this.#host.pending.end()
    this.#onDone(error)
  }
}
