import { AsyncResource } from 'node:async_hooks'
import { type EventEmitter, errorMonitor } from 'node:events'
import process from 'node:process'
import { Concerns, newsWaits } from './concerns.ts'
import { ConstructionContext } from './construction-context.ts'
import type { BoundLogger, LogLevel } from './logger.ts'
import { type ListenedTo, listenedTo } from './registry-emitter.ts'

/** A log line that goes with an event, or stands for one that nobody listens to. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: object
  /** The session id, which the line shows as `logIds` says. */
  readonly id?: string
}

/** One thing that happened and waits to be told. */
interface Notice {
  readonly event: string
  readonly args: readonly unknown[]
  readonly line: LogLine | undefined
}

/** A queue that once was longer gives its memory back. */
const keptPlaces = 1024

/** The user's code that is not a listener and has to run after the state has changed: an abort signal's, for one. */
type Action = () => void

/** Something queued whose async context is not that of the code that delivers it. */
class InContext {
  readonly context: AsyncResource
  readonly queued: Notice | Action

  constructor(context: AsyncResource, queued: Notice | Action) {
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
export class Announcer {
  readonly #emitter: EventEmitter
  readonly #listenedTo: ListenedTo
  readonly #logger: BoundLogger | undefined
  readonly #logId: (id: string) => string
  /** From `head` to `tail`; the places are used again, for a sweep queues and delivers one notice after another. */
  #queue: (Notice | Action | InContext | undefined)[] = []
  #head = 0
  #tail = 0
  #delivering = false
  #isBackground = false
  readonly #concerns: Concerns
  #warned = false
  /** Listeners that threw or rejected. */
  listenerErrors = 0
  /** Where everything runs that the registry does by itself. */
  readonly context = new ConstructionContext()

  constructor(
    emitter: EventEmitter,
    logger: BoundLogger | undefined,
    logId: (id: string) => string,
    concerns = new Concerns(),
  ) {
    this.#emitter = emitter
    this.#listenedTo = listenedTo(emitter)
    this.#logger = logger
    this.#logId = logId
    this.#concerns = concerns
  }

  /** Whether anybody listens to `event`: otherwise there is no need to make its arguments. */
  isHeard(event: string): boolean {
    return this.#listenedTo.has(event) && this.#emitter.listenerCount(event) > 0
  }

  /** Whether it is worth asking {@link isWanted} and {@link isLogged}. */
  mayTell(event: string): boolean {
    return this.#logger !== undefined || this.isWanted(event)
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
  isWanted(event: string): boolean {
    return this.#concerns.has(newsWaits) || this.isHeard(event)
  }

  /** Whether something waits to be told. */
  get hasNews(): boolean {
    return this.#head < this.#tail
  }

  /** Queues an event with its log line; {@link deliver} tells both. */
  push(event: string, args: readonly unknown[], line?: LogLine): void {
    this.#add({ event, args, line })
  }

  /** Queues a log line that goes with no event. */
  log(line: LogLine): void {
    this.push('', [], line)
  }

  /** Queues code to run at the next {@link deliver}, in its turn among the notices. */
  defer(action: Action): void {
    this.#add(action)
  }

  /** Makes a change that no call has asked for: its events are for the context of the registry's constructor. */
  inBackground<R>(change: () => R): R {
    const was = this.#isBackground
    this.#isBackground = true
    try {
      return change()
    } finally {
      this.#isBackground = was
    }
  }

  /** Queues a failure that has no caller to be told: logged, and emitted as `error`. */
  report(error: unknown, message: string, id?: string): void {
    const fields = { err: error }
    this.push('error', [error], { level: 'error', message, fields, ...(id === undefined ? {} : { id }) })
    if (this.#logger === undefined && !this.isHeard('error')) this.#warnOnce(error)
  }

  /** Tells what is queued. Within a listener it returns at once: the outer delivery goes on to it. */
  deliver(): void {
    if (this.#concerns.has(newsWaits) && !this.#delivering) this.#deliver()
  }

  #add(queued: Notice | Action): void {
    this.#concerns.raise(newsWaits)
    this.#queue[this.#tail] = this.#isBackground || this.#delivering ? this.#inContext(queued) : queued
    this.#tail += 1
  }

  #inContext(queued: Notice | Action): InContext {
    // What a listener causes is delivered by the call that had the listener called, in another context.
    return new InContext(
      this.#isBackground ? this.context.resource : new AsyncResource('SessionEvent'),
      queued,
    )
  }

  #deliver(): void {
    const wasBackground = this.#isBackground
    this.#isBackground = false
    this.#delivering = true
    try {
      while (this.hasNews) {
        const next = this.#queue[this.#head]
        this.#queue[this.#head] = undefined
        this.#head += 1
        if (next instanceof InContext) this.#tellInContext(next)
        else if (typeof next === 'function') this.#act(next)
        else if (next !== undefined) this.#tell(next)
      }
    } finally {
      this.#delivering = false
      this.#isBackground = wasBackground
      this.#concerns.settle(newsWaits)
      if (this.#queue.length > keptPlaces) this.#queue = []
      this.#head = 0
      this.#tail = 0
    }
  }

  #tellInContext({ context, queued }: InContext): void {
    context.runInAsyncScope(() => {
      if (typeof queued === 'function') this.#act(queued)
      else this.#tell(queued)
    })
  }

  #act(action: Action): void {
    try {
      action()
    } catch (error) {
      this.report(error, 'a deferred action failed')
    }
  }

  #tell({ event, args, line }: Notice): void {
    if (line !== undefined) this.#write(line)
    if (!this.isHeard(event) && event !== 'error') return
    // Not `emit`: there, one listener that throws keeps the others from being told.
    for (const listener of this.#listenersOf(event)) {
      try {
        const result: unknown = Reflect.apply(listener, this.#emitter, args)
        if (isThenable(result)) {
          result.then(undefined, (error) => {
            this.#listenerFailed(event, error)
            this.deliver()
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

  #write({ level, message, fields, id }: LogLine): void {
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
    if (event === 'error') this.#write(line)
    else this.push('error', [error], line)
    if (this.#logger === undefined && (event === 'error' || !this.isHeard('error'))) this.#warnOnce(error)
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
    if (this.#warned) return
    this.#warned = true
    try {
      const detail = error instanceof Error ? error.message : String(error)
      process.emitWarning(`A failure was contained, and nobody listens to 'error': ${detail}`, {
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
