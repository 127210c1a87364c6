import { type EventEmitter, errorMonitor } from 'node:events'
import { isThenable } from '../async/is-thenable.ts'
import { emitWarning } from '../process/warning.ts'
import type { PendingMessage } from '../watching/registry-channels.ts'
import { type ListenerTracker, listenersOf } from './listener-tracker.ts'
import { type LogLine, logLines } from './log-lines.ts'
import type { BoundLogger, LogLevel } from './logger.ts'

/** An event with its log line, and its message. An event without a name is only a log line. */
export interface EmittedEvent {
  readonly event: string
  readonly args: readonly unknown[]
  readonly line: LogLine | undefined
  /** What is published on the event's channel; `undefined` where nothing subscribes to that. */
  readonly message: PendingMessage | undefined
}

/** Receives what a listener of an event threw or rejected with, and the log line for it. */
export type OnListenerFailed = (error: unknown, event: string, line: LogLine) => void

/**
 * Calls listeners, writes log lines and publishes messages, and contains what listeners and the logger throw.
 * What a subscriber throws, Node passes to `uncaughtException`.
 *
 * A failed listener keeps no other listener from being called, and reaches no caller of the registry.
 */
export class ContainedEmitter {
  readonly #emitter: EventEmitter
  readonly #listeners: ListenerTracker
  readonly #logger: BoundLogger | undefined
  readonly #logId: (id: string) => string
  readonly #onListenerFailed: OnListenerFailed
  #hasWarned = false
  /** Listeners that threw or rejected. */
  listenerErrors = 0

  constructor(
    emitter: EventEmitter,
    logger: BoundLogger | undefined,
    logId: (id: string) => string,
    onListenerFailed: OnListenerFailed,
  ) {
    this.#emitter = emitter
    this.#listeners = listenersOf(emitter)
    this.#logger = logger
    this.#logId = logId
    this.#onListenerFailed = onListenerFailed
  }

  get hasLogger(): boolean {
    return this.#logger !== undefined
  }

  hasListeners(event: string): boolean {
    return this.#listeners.has(event) && this.#emitter.listenerCount(event) > 0
  }

  isLogged(level: LogLevel): boolean {
    if (this.#logger === undefined) return false
    try {
      return this.#logger.isEnabled(level)
    } catch (error) {
      this.#onLoggerFailed(error)
      return false
    }
  }

  emit({ event, args, line, message }: EmittedEvent): void {
    if (line !== undefined) this.#writeLog(line)
    message?.channel.publish(message.message)
    if (!this.hasListeners(event) && event !== 'error') return
    // Not `emit`: there, a listener that throws keeps the others from being called.
    for (const listener of this.#listenersOf(event)) {
      try {
        const result: unknown = Reflect.apply(listener, this.#emitter, args)
        if (isThenable(result)) result.then(undefined, (error) => this.#onFailed(event, error))
      } catch (error) {
        this.#onFailed(event, error)
      }
    }
  }

  /**
   * Warns through the process, once, of a failure that neither a logger nor a listener of `error` receives.
   */
  warnIfUnhandled(error: unknown): void {
    if (!this.hasLogger && !this.hasListeners('error')) this.#warnOnce(error)
  }

  #listenersOf(event: string) {
    const listeners = this.#emitter.rawListeners(event)
    return event === 'error' ? [...this.#emitter.rawListeners(errorMonitor), ...listeners] : listeners
  }

  #writeLog({ level, message, fields, id }: LogLine): void {
    if (!this.isLogged(level)) return
    try {
      const line = id === undefined ? fields : { session: this.#loggedId(id), ...fields }
      const result = this.#logger?.write(level, line, message)
      if (isThenable(result)) result.then(undefined, (error) => this.#onLoggerFailed(error))
    } catch (error) {
      this.#onLoggerFailed(error)
    }
  }

  #onFailed(event: string, error: unknown): void {
    this.listenerErrors += 1
    const line = logLines.listenerFailed.line(event, error)
    if (event === 'error') {
      // What a listener of `error` throws is not emitted again: that would never end.
      this.#writeLog(line)
      if (!this.hasLogger) this.#warnOnce(error)
    } else {
      // First, since a listener that is called once is gone after the event.
      this.warnIfUnhandled(error)
      this.#onListenerFailed(error, event, line)
    }
  }

  #onLoggerFailed(error: unknown): void {
    // Not logged, since the logger has failed; not emitted, since a listener of `error` may use that logger.
    this.#warnOnce(error)
  }

  #loggedId(id: string): unknown {
    try {
      return this.#logId(id)
    } catch (error) {
      this.#warnOnce(error)
      return undefined
    }
  }

  #warnOnce(error: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    emitWarning(`Unhandled registry error (add an 'error' listener): ${textOf(error)}`)
  }
}

/** Returns what an error says. A value may have no text. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'a value that cannot be shown'
  }
}
