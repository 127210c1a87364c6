import { AsyncResource } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import { ConstructionContext } from '../async/construction-context.ts'
import type { PendingMessage, RegistryChannels } from '../watching/registry-channels.ts'
import { ContainedEmitter, type EmittedEvent } from './contained-emitter.ts'
import { type Failure, failureLine, type LogLine } from './log-lines.ts'
import type { BoundLogger, LogLevel } from './logger.ts'

/** The owner of an {@link EventQueue}: what is enqueued in a step is emitted at its end. */
export interface EventQueueOwner {
  /** Whether a step is open. */
  readonly isOpen: boolean
  run<R>(change: () => R): R
  /** Called for what is enqueued while no step is open. */
  onOutsideStep(): void
}

/** Where events go beside their listeners. */
export interface EventSinks {
  readonly logger: BoundLogger | undefined
  readonly logId: (id: string) => string
  readonly channels: RegistryChannels
}

/**
 * Called with `true` before the first event is enqueued, and with `false` when the queue has been emptied.
 */
export type OnPending = (isPending: boolean) => void

/** User code that is not a listener and must run after the change: the listeners of an abort signal. */
type Deferred = () => void

/**
 * An entry of the queue that runs in an async context other than that of the code which empties the queue.
 */
class BoundEntry {
  readonly context: AsyncResource
  readonly entry: EmittedEvent | Deferred

  constructor(context: AsyncResource, entry: EmittedEvent | Deferred) {
    this.context = context
    this.entry = entry
  }
}

/** Longest queue, in entries, whose memory is kept after it has been emptied. */
const maxRetainedLength = 1024

/**
 * A queue of events, log lines, messages and deferred user code, which a {@link Step} empties at its end.
 *
 * A listener that changes the registry adds to the queue that is being emptied, so every listener receives
 * all events in the same order, however deep the calls are nested.
 *
 * Listeners run in the async context of the call that caused the event for its own id. For what the registry
 * does by itself ({@link inBackground}) it is that of the registry's constructor.
 */
export class EventQueue {
  readonly #owner: EventQueueOwner
  readonly #emitter: ContainedEmitter
  readonly #hasLogger: boolean
  readonly channels: RegistryChannels
  readonly #onPending: OnPending | undefined
  /**
   * Entries from `head` to `tail`. Places are used again: a sweep enqueues and emits one event after another.
   */
  #entries: (EmittedEvent | Deferred | BoundEntry | undefined)[] = []
  #head = 0
  #tail = 0
  /** From the first entry until the queue has been emptied. */
  #isBusy = false
  #isFlushing = false
  /** The context that entries are bound to: `undefined` in a step that runs in its caller's. */
  #boundTo: AsyncResource | ConstructionContext | undefined = undefined
  /** The async context of what the registry does by itself. */
  readonly context = new ConstructionContext()

  constructor(
    owner: EventQueueOwner,
    emitter: EventEmitter,
    { logger, logId, channels }: EventSinks,
    onPending?: OnPending,
  ) {
    this.#owner = owner
    this.#hasLogger = logger !== undefined
    this.channels = channels
    this.#onPending = onPending
    this.#emitter = new ContainedEmitter(emitter, logger, logId, (error, event, line) => {
      owner.run(() => this.enqueue('error', [error], line, channels.error(error, { event })))
    })
  }

  /** Listeners that threw or rejected. */
  get listenerErrors(): number {
    return this.#emitter.listenerErrors
  }

  /** Whether an event or deferred code waits. */
  get isPending(): boolean {
    return this.#head < this.#tail
  }

  /** Whether the queue is being emptied, so that the code that runs now is a listener or deferred. */
  get isFlushing(): boolean {
    return this.#isFlushing
  }

  /**
   * Whether an event may need {@link mayHaveListeners} and {@link isLogged} to be checked: a cheap first
   * check.
   */
  mayEmit(event: string): boolean {
    return this.#hasLogger || this.#isBusy || this.#emitter.hasListeners(event)
  }

  isLogged(level: LogLevel): boolean {
    return this.#hasLogger && this.#emitter.isLogged(level)
  }

  /**
   * Whether an event that is enqueued now may find a listener: there is one, or one may be added while
   * earlier events are emitted.
   */
  mayHaveListeners(event: string): boolean {
    return this.#isBusy || this.#emitter.hasListeners(event)
  }

  /** Enqueues an event with its log line and its message. Only in a step. */
  enqueue(event: string, args: readonly unknown[], line?: LogLine, message?: PendingMessage): void {
    this.#append({ event, args, line, message })
  }

  /** Enqueues user code among the events. Only in a step. */
  defer(action: () => void): void {
    this.#append(action)
  }

  /** Logs a line that belongs to no event: a step of its own, or a part of the one that is open. */
  log(line: LogLine): void {
    this.#owner.run(() => this.enqueue('', [], line))
  }

  /**
   * Logs a failure that has no caller to be thrown to, and emits it as `error`: a step of its own, or a part
   * of the one that is open.
   */
  reportError(error: unknown, message: Failure, id?: string): void {
    this.#emitter.warnIfUnhandled(error)
    this.#owner.run(() => {
      this.enqueue('error', [error], failureLine(message, error, id), this.channels.error(error, { id }))
    })
  }

  /**
   * Makes a change outside of any call: its events are emitted in the context of the registry's constructor.
   */
  inBackground<R>(change: () => R): R {
    return this.#bindTo(this.context, change)
  }

  /** Makes a change for a call whose async context is not the present one. */
  inContext<R>(context: AsyncResource | undefined, change: () => R): R {
    return context === undefined ? change() : this.#bindTo(context, change)
  }

  /** Empties the queue. For {@link Step} alone, which knows when a change is complete. */
  flush(): void {
    if (this.#isBusy && !this.#isFlushing) this.#flush()
  }

  #bindTo<R>(context: AsyncResource | ConstructionContext, change: () => R): R {
    const outer = this.#boundTo
    this.#boundTo = context
    try {
      return change()
    } finally {
      this.#boundTo = outer
    }
  }

  #append(entry: EmittedEvent | Deferred): void {
    if (!this.#isBusy) this.#onFirst()
    this.#entries[this.#tail] = this.#boundTo !== undefined || this.#isFlushing ? this.#bind(entry) : entry
    this.#tail += 1
  }

  #bind(entry: EmittedEvent | Deferred): BoundEntry {
    if (this.#boundTo instanceof ConstructionContext) return new BoundEntry(this.#boundTo.resource, entry)
    // What a listener causes is emitted by the call that caused the listener's event, in another context.
    return new BoundEntry(this.#boundTo ?? new AsyncResource('SessionEvent'), entry)
  }

  #onFirst(): void {
    if (!this.#owner.isOpen) this.#owner.onOutsideStep()
    this.#isBusy = true
    this.#onPending?.(true)
  }

  #flush(): void {
    const boundTo = this.#boundTo
    this.#boundTo = undefined
    this.#isFlushing = true
    try {
      while (this.#head < this.#tail) {
        const next = this.#entries[this.#head]
        this.#entries[this.#head] = undefined
        this.#head += 1
        if (next instanceof BoundEntry) this.#runBound(next)
        else if (typeof next === 'function') this.#runDeferred(next)
        else if (next !== undefined) this.#emitter.emit(next)
      }
    } finally {
      this.#isFlushing = false
      this.#boundTo = boundTo
      this.#isBusy = false
      this.#onPending?.(false)
      if (this.#entries.length > maxRetainedLength) this.#entries = []
      this.#head = 0
      this.#tail = 0
    }
  }

  #runBound({ context, entry }: BoundEntry): void {
    context.runInAsyncScope(() => {
      if (typeof entry === 'function') this.#runDeferred(entry)
      else this.#emitter.emit(entry)
    })
  }

  #runDeferred(action: Deferred): void {
    try {
      action()
    } catch (error) {
      this.reportError(error, 'a deferred action failed')
    }
  }
}
