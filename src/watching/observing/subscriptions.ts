import type { Channel } from 'node:diagnostics_channel'
import { shownTime } from '../../core/time/clock.ts'
import type { SessionTraces } from '../../core/watching/channels.ts'
import { tracingChannels } from '../../core/watching/channels.ts'
import { type Origin, originOf } from '../../core/watching/origin.ts'

/** What listens to the operations of one kind. */
interface OperationListeners<M, S> {
  /** Called as it starts, in its async context. Returns what {@link onEnd} is called with. */
  onStart(message: M, origin: Origin): S
  /** Called when it has settled. `seconds`: since the start, by the clock of its registry. */
  onEnd(message: M, seconds: number, started: S): void
  /** Called at the end of the subscriptions with what is running then. */
  onAbandoned?(started: S): void
}

interface Running<S> {
  readonly origin: Origin
  readonly startedAt: number
  readonly started: S
}

/**
 * Subscriptions to the channels, for the messages of some registries.
 *
 * A listener that throws is contained: Node would pass its error to `uncaughtException`, and so end the
 * process.
 */
export class Subscriptions {
  readonly #accepts: (origin: Origin) => boolean
  readonly #onFailure: (error: unknown) => void
  readonly #undos: (() => void)[] = []

  /** `accepts`: whether a registry is one of those. `onFailure` receives what a listener throws. */
  constructor(accepts: (origin: Origin) => boolean, onFailure: (error: unknown) => void) {
    this.#accepts = accepts
    this.#onFailure = onFailure
  }

  /** Calls `listener` with the messages of an event, until {@link end}. */
  add<M>(channel: Channel, listener: (message: M, origin: Origin) => void): void {
    this.#subscribe(channel, (message) => {
      const origin = originOf(message)
      if (origin === undefined || !this.#accepts(origin)) return
      this.#contain(() => listener(message as M, origin))
    })
  }

  /** Times the operations of a kind that start from now on. */
  time<O extends 'turn' | 'archive', S>(
    operation: O,
    listeners: OperationListeners<SessionTraces[O], S>,
  ): void {
    const { start, asyncEnd } = tracingChannels[operation]
    // One object is the message of an operation from its start to its end.
    const running = new Map<unknown, Running<S>>()
    this.add<SessionTraces[O]>(start, (message, origin) => {
      const startedAt = shownTime(origin.clock)
      running.set(message, { origin, startedAt, started: listeners.onStart(message, origin) })
    })
    // Of all registries: one that is no longer accepted must leave no message behind.
    this.#subscribe(asyncEnd, (message) => {
      const begun = running.get(message)
      if (begun === undefined) return // it began before the subscription
      running.delete(message)
      const { origin, startedAt, started } = begun
      if (!this.#accepts(origin)) return
      this.#contain(() => {
        const seconds = Math.max(0, shownTime(origin.clock) - startedAt) / 1_000
        listeners.onEnd(message as SessionTraces[O], seconds, started)
      })
    })
    this.#undos.push(() => {
      for (const { started } of running.values()) this.#contain(() => listeners.onAbandoned?.(started))
      running.clear()
    })
  }

  /** Unsubscribes from everything. */
  end(): void {
    for (const undo of this.#undos.splice(0)) undo()
  }

  #subscribe(channel: Channel, subscriber: (message: unknown) => void): void {
    channel.subscribe(subscriber)
    this.#undos.push(() => channel.unsubscribe(subscriber))
  }

  #contain(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#onFailure(error)
    }
  }
}
