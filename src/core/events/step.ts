import type { EventEmitter } from 'node:events'
import { type Clock, systemClock } from '../time/clock.ts'
import { markOrigin } from '../watching/origin.ts'
import { RegistryChannels } from '../watching/registry-channels.ts'
import type { UserCodeCaller } from '../watching/trace.ts'
import { EventQueue, type EventQueueOwner, type EventSinks, type OnPending } from './event-queue.ts'

/** What a registry is and shows of itself in events, log lines and messages. */
interface StepOptions extends Omit<EventSinks, 'channels'> {
  /** The name of the registry. */
  readonly name: string
  readonly clock?: Clock
}

/** Something to call when a step has ended, with what it is about. */
interface Continuation {
  readonly resume: (subject: unknown) => void
  readonly subject: unknown
}

let throwsOutside = false

/**
 * Makes a change outside of a step throw, in every registry of this module. Returns a function that takes it
 * back. For tests.
 */
export function requireSteps(isRequired = true): () => void {
  const before = throwsOutside
  throwsOutside = isRequired
  return () => {
    throwsOutside = before
  }
}

/**
 * One synchronous change of a registry's state, with all that follows from it.
 *
 * ```
 *   run(change)           changes state and enqueues events; steps nest
 *     │ the outermost one ends, also by a throw
 *     ▼
 *   events, in order      with deferred user code (abort signals) among them ◀─┐
 *     ▼                                                                        │ until nothing
 *   followers, once       capacity, shutdown: they look at the state ──────────┘ is pending
 *     ▼
 *   continuations         user code that the change made ready: turns, loads, factories
 * ```
 *
 * Listeners, deferred code and continuations run outside of the step, so a call of the registry in them is a
 * step of its own. In a listener, the events of that step wait in the queue that is being emptied and its
 * followers for the end of that; its continuations run at once.
 *
 * Events and transitions belong into a step. Outside of one they throw in tests ({@link requireSteps});
 * elsewhere a step follows in a microtask, so that nothing is lost.
 */
export class Step implements EventQueueOwner, UserCodeCaller {
  readonly events: EventQueue
  #followers: readonly (() => void)[] = []
  #continuations: Continuation[] = []
  #depth = 0
  #hasChanged = false
  #isScheduled = false

  constructor(
    emitter: EventEmitter,
    { name, logger, logId, clock = systemClock }: StepOptions,
    onPending?: OnPending,
  ) {
    const origin = { name, clock }
    markOrigin(emitter, origin)
    const channels = new RegistryChannels(origin, this)
    this.events = new EventQueue(this, emitter, { logger, logId, channels }, onPending)
  }

  /** The channels of `node:diagnostics_channel`, for this registry. */
  get channels(): RegistryChannels {
    return this.events.channels
  }

  /**
   * Whether what is enqueued now is emitted without a further call: a step is open, or one is emitting its
   * events.
   */
  get isOpen(): boolean {
    return this.#depth > 0 || this.events.isFlushing
  }

  /** Makes a change. Returns what it returns, after all that follows from it. */
  run<R>(change: () => R): R {
    this.#depth += 1
    try {
      return change()
    } finally {
      this.#depth -= 1
      if (this.#depth === 0) this.#finish()
    }
  }

  /**
   * {@link run} for a change outside of any call: its events are emitted in the constructor's async context.
   */
  runInBackground<R>(change: () => R): R {
    this.#depth += 1
    try {
      return this.events.inBackground(change)
    } finally {
      this.#depth -= 1
      if (this.#depth === 0) this.#finish()
    }
  }

  /** Calls `follower` once at the end of each step that has {@link markChanged}, until {@link unfollow}. */
  follow(follower: () => void): void {
    if (!this.#followers.includes(follower)) this.#followers = [...this.#followers, follower]
  }

  unfollow(follower: () => void): void {
    this.#followers = this.#followers.filter((other) => other !== follower)
  }

  /** Makes the followers run at the end of the step. */
  markChanged(): void {
    this.assertOpen()
    // Mostly nothing waits for a change.
    if (this.#followers.length > 0) this.#hasChanged = true
  }

  /** Checks that a step is open, for what is changed without an event. */
  assertOpen(): void {
    if (!this.isOpen) this.onOutsideStep()
  }

  /**
   * Calls `resume` when the step has ended and its events are emitted, or at once if none is open.
   *
   * `resume` should capture nothing: it is on the stack of the user code that it calls, and an error that is
   * made there keeps what the functions on its stack have captured.
   */
  after<S>(resume: (subject: S) => void, subject: S): void {
    if (this.#depth === 0) resume(subject)
    else this.#continuations.push({ resume: resume as Continuation['resume'], subject })
  }

  /**
   * Calls user code that is not a part of the change: at once, or among the events of the step that is open.
   */
  callOutside(action: () => void): void {
    if (this.#depth === 0) action()
    else this.events.defer(action)
  }

  onOutsideStep(): void {
    if (throwsOutside)
      throw new Error('Expected a change of the registry to be made in a step, but none is open')
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.run(() => {})
    })
  }

  #finish(): void {
    if (this.#continuations.length > 0) this.#finishAndResume()
    else if ((this.#hasChanged || this.events.isPending) && !this.events.isFlushing) this.#settle()
  }

  #finishAndResume(): void {
    const continuations = this.#continuations
    // Taken first, since steps of listeners run those that they find.
    this.#continuations = []
    if (!this.events.isFlushing) this.#settle()
    resumeAll(continuations)
  }

  #settle(): void {
    do {
      this.events.flush()
      if (this.#hasChanged) this.#callFollowers()
    } while (this.#hasChanged || this.events.isPending)
  }

  #callFollowers(): void {
    this.#hasChanged = false
    this.#depth += 1
    try {
      for (const follower of this.#followers) this.#callFollower(follower)
    } finally {
      this.#depth -= 1
    }
  }

  #callFollower(follower: () => void): void {
    try {
      follower()
    } catch (error) {
      this.events.reportError(error, 'a change could not be followed up')
    }
  }
}

/** Calls all of them, also if one throws; then throws the first error. */
function resumeAll(continuations: readonly Continuation[]): void {
  let failure: { readonly error: unknown } | undefined
  for (const { resume, subject } of continuations) {
    try {
      resume(subject)
    } catch (error) {
      failure ??= { error }
    }
  }
  if (failure !== undefined) throw failure.error
}
