import { AsyncResource } from 'node:async_hooks'
import { type EventEmitter, errorMonitor } from 'node:events'
import process from 'node:process'
import { ConstructionContext } from '../async/construction-context.ts'
import { eventsPending, FastPathBlockers } from './fast-path-blockers.ts'
import { type ListenerTracker, listenersOf } from './listener-tracker.ts'
import type { BoundLogger, LogLevel } from './logger.ts'

/** A log line that goes with an event, or stands for one that nobody listens to. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: object
  /** The session id, which the line shows as `logIds` says. */
  readonly id?: string
}

/** One thing that happened and waits to be told. */
interface PendingEvent {
  readonly event: string
  readonly args: readonly unknown[]
  readonly line: LogLine | undefined
}

/** A queue that once was longer gives its memory back. */
const maxRetainedLength = 1024

/** The user's code that is not a listener and has to run after the state has changed: an abort signal's, for one. */
type Action = () => void

/** Something queued whose async context is not that of the code that delivers it. */
class BoundEntry {
  readonly context: AsyncResource
  readonly queued: PendingEvent | Action

  constructor(context: AsyncResource, queued: PendingEvent | Action) {
    this.context = context
    this.queued = queued
  }
}

/**
 * Tells listeners and the log what happened, and contains whatever they do.
 *
 * Notices are queued while the state changes and delivered afterwards, in order. A listener that changes the registry
 * adds to the same queue, so every listener sees every event in the same order, however deep the calls are nested.
 *
 * Listeners run in the async context of the call that caused the event for its own id, and for what the registry does by
 * itself ({@link inBackground}) in that of the registry's constructor.
 */
export class EventQueue {
  readonly #emitter: EventEmitter
  readonly #listeners: ListenerTracker
  readonly #logger: BoundLogger | undefined
  readonly #logId: (id: string) => string
  /** From `head` to `tail`; the places are used again, for a sweep queues and delivers one notice after another. */
  #queue: (PendingEvent | Action | BoundEntry | undefined)[] = []
  #head = 0
  #tail = 0
  #isFlushing = false
  #isBackground = false
  readonly #blockers: FastPathBlockers
  #hasWarned = false
  /** Listeners that threw or rejected. */
  listenerErrors = 0
  /** Where everything runs that the registry does by itself. */
  readonly context = new ConstructionContext()

  constructor(
    emitter: EventEmitter,
    logger: BoundLogger | undefined,
    logId: (id: string) => string,
    blockers = new FastPathBlockers(),
  ) {
    this.#emitter = emitter
    this.#listeners = listenersOf(emitter)
    this.#logger = logger
    this.#logId = logId
    this.#blockers = blockers
  }

  /** Whether anybody listens to `event`: otherwise there is no need to make its arguments. */
  hasListeners(event: string): boolean {
    return this.#listeners.has(event) && this.#emitter.listenerCount(event) > 0
  }

  /** Whether it is worth asking {@link mayHaveListeners} and {@link isLogged}. */
  mayEmit(event: string): boolean {
    return this.#logger !== undefined || this.mayHaveListeners(event)
  }

  isLogged(level: LogLevel): boolean {
    if (this.#logger === undefined) return false
    try {
      return this.#logger.isEnabled(level)
    } catch (error) {
      this.#loggerFailed(error)
      return false
    }
  }

  /**
   * Whether an event that is pushed now may find a listener: there is one, or one may be added while what is queued
   * before it is told.
   */
  mayHaveListeners(event: string): boolean {
    return this.#blockers.has(eventsPending) || this.hasListeners(event)
  }

  /** Whether something waits to be told. */
  get isPending(): boolean {
    return this.#head < this.#tail
  }

  /** Queues an event with its log line; {@link flush} tells both. */
  enqueue(event: string, args: readonly unknown[], line?: LogLine): void {
    this.#append({ event, args, line })
  }

  /** Queues a log line that goes with no event. */
  log(line: LogLine): void {
    this.enqueue('', [], line)
  }

  /** Queues code to run at the next {@link flush}, in its turn among the notices. */
  defer(action: Action): void {
    this.#append(action)
  }

  /** Makes a change that no call has asked for: its events are for the context of the registry's constructor. */
  inBackground<R>(change: () => R): R {
    const wasBackground = this.#isBackground
    this.#isBackground = true
    try {
      return change()
    } finally {
      this.#isBackground = wasBackground
    }
  }

  /** Queues a failure that has no caller to be told: logged, and emitted as `error`. */
  reportError(error: unknown, message: string, id?: string): void {
    const fields = { err: error }
    this.enqueue('error', [error], { level: 'error', message, fields, ...(id === undefined ? {} : { id }) })
    if (this.#logger === undefined && !this.hasListeners('error')) this.#warnOnce(error)
  }

  /** Tells what is queued. Within a listener it returns at once: the outer delivery goes on to it. */
  flush(): void {
    if (this.#blockers.has(eventsPending) && !this.#isFlushing) this.#flush()
  }

  #append(queued: PendingEvent | Action): void {
    this.#blockers.block(eventsPending)
    this.#queue[this.#tail] = this.#isBackground || this.#isFlushing ? this.#bind(queued) : queued
    this.#tail += 1
  }

  #bind(queued: PendingEvent | Action): BoundEntry {
    // What a listener causes is delivered by the call that had the listener called, in another context.
    return new BoundEntry(
      this.#isBackground ? this.context.resource : new AsyncResource('SessionEvent'),
      queued,
    )
  }

  #flush(): void {
    const wasBackground = this.#isBackground
    this.#isBackground = false
    this.#isFlushing = true
    try {
      while (this.isPending) {
        const next = this.#queue[this.#head]
        this.#queue[this.#head] = undefined
        this.#head += 1
        if (next instanceof BoundEntry) this.#runBound(next)
        else if (typeof next === 'function') this.#runAction(next)
        else if (next !== undefined) this.#emit(next)
      }
    } finally {
      this.#isFlushing = false
      this.#isBackground = wasBackground
      this.#blockers.unblock(eventsPending)
      if (this.#queue.length > maxRetainedLength) this.#queue = []
      this.#head = 0
      this.#tail = 0
    }
  }

  #runBound({ context, queued }: BoundEntry): void {
    context.runInAsyncScope(() => {
      if (typeof queued === 'function') this.#runAction(queued)
      else this.#emit(queued)
    })
  }

  #runAction(action: Action): void {
    try {
      action()
    } catch (error) {
      this.reportError(error, 'a deferred action failed')
    }
  }

  #emit({ event, args, line }: PendingEvent): void {
    if (line !== undefined) this.#writeLog(line)
    if (!this.hasListeners(event) && event !== 'error') return
    // Not `emit`: there, one listener that throws keeps the others from being told.
    for (const listener of this.#listenersOf(event)) {
      try {
        const result: unknown = Reflect.apply(listener, this.#emitter, args)
        if (isThenable(result)) {
          result.then(undefined, (error) => {
            this.#listenerFailed(event, error)
            this.flush()
          })
        }
      } catch (error) {
        this.#listenerFailed(event, error)
      }
    }
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
      if (isThenable(result)) result.then(undefined, (error) => this.#loggerFailed(error))
    } catch (error) {
      this.#loggerFailed(error)
    }
  }

  #listenerFailed(event: string, error: unknown): void {
    this.listenerErrors += 1
    const line: LogLine = { level: 'error', message: 'a listener failed', fields: { err: error, event } }
    // What a listener of `error` throws is not emitted again: that would never end.
    if (event === 'error') this.#writeLog(line)
    else this.enqueue('error', [error], line)
    if (this.#logger === undefined && (event === 'error' || !this.hasListeners('error')))
      this.#warnOnce(error)
  }

  #loggerFailed(error: unknown): void {
    // Not logged, for the logger is what failed; and not emitted, for a listener of `error` may well use that logger.
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
    try {
      const detail = error instanceof Error ? error.message : String(error)
      process.emitWarning(`Unhandled registry error (add an 'error' listener): ${detail}`, {
        type: 'SessionRegistryWarning',
      })
    } catch {
      // A value that cannot even be put into words (or a host without warnings) ends nothing either.
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
