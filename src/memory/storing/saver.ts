import { startTimer } from '../../core/async/contained-timer.ts'
import { HookCall, type HookHost } from '../../core/async/hook-call.ts'
import {
  isSessionRegistryError,
  type SessionRegistryError,
} from '../../core/errors/session-registry-error.ts'
import { storeFailedError, storeTimeoutError } from '../../core/errors/store-errors.ts'
import type { Timer } from '../../core/time/clock.ts'
import type { SessionRecord } from '../session/session-record.ts'
import type { SessionWriter, Snapshot } from './session-writer.ts'

/** The pauses before the second and the third try of a save, in milliseconds: a hiccup, then a restart. */
const pausesMs = [250, 750]

/** Receives the outcome of a save: without an error, the store has the session. */
export type SaveOutcome = (error?: unknown) => void

/** Saves of live sessions: after a turn, and by `save`. A failed one is tried three times in all. */
export class Saver<T> {
  readonly #host: HookHost
  readonly #writer: SessionWriter<T>
  readonly #timeoutMs: number
  /** The saves of each session that are under way. */
  readonly #saves = new Map<SessionRecord<T>, Set<Save>>()

  constructor(host: HookHost, writer: SessionWriter<T>, timeoutMs: number) {
    this.#host = host
    this.#writer = writer
    this.#timeoutMs = timeoutMs
  }

  /**
   * Writes a session if it has changed. `onDone` is called at once where there is nothing to write; with
   * `ERR_SESSION_VALUE_INVALID`, `ERR_SESSION_STORE_FAILED` or `ERR_SESSION_STORE_CONFLICT` if it was not
   * written.
   */
  save(record: SessionRecord<T>, onDone: SaveOutcome): void {
    let snapshot: Snapshot | undefined
    try {
      snapshot = this.#writer.takeSnapshot(record)
    } catch (error) {
      onDone(error)
      return
    }
    if (snapshot === undefined) onDone()
    else this.#write(record, snapshot, onDone)
  }

  /** Aborts the saves of a session that was deleted or replaced. */
  abort(record: SessionRecord<T>, error: SessionRegistryError): void {
    for (const save of this.#saves.get(record) ?? []) save.abort(error)
  }

  #write(record: SessionRecord<T>, snapshot: Snapshot, onDone: SaveOutcome): void {
    const saves = this.#saves.get(record) ?? new Set<Save>()
    this.#saves.set(record, saves)
    const write = (signal: AbortSignal) => this.#writer.write(record, snapshot, signal)
    const save = new Save(this.#host, { id: record.id, write, timeoutMs: this.#timeoutMs }, (error) => {
      saves.delete(save)
      if (saves.size === 0) this.#saves.delete(record)
      onDone(error)
    })
    saves.add(save)
    save.start()
  }
}

interface SaveInit {
  readonly id: string
  readonly write: (signal: AbortSignal) => Promise<void>
  readonly timeoutMs: number
}

/** One save, over all its tries. A caller waits for it, so it keeps the process alive. */
class Save {
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
    const { id, write, timeoutMs } = this.#init
    this.#tries += 1
    const init = {
      id,
      call: write,
      timeoutMs,
      timeoutError: storeTimeoutError,
      timerFailure: 'a save could not be timed',
      keepsAlive: true,
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
