import type { EventQueue } from '../events/event-queue.ts'
import type { Clock, Timer } from '../time/clock.ts'

/** A switch that keeps the process alive, for a caller that waits for something without a timer or handle. */
export class KeepAlive {
  readonly #clock: Clock
  readonly #events: EventQueue
  #timer: Timer | undefined

  constructor(host: { readonly clock: Clock; readonly events: EventQueue }) {
    this.#clock = host.clock
    this.#events = host.events
  }

  setActive(isOn: boolean): void {
    if (isOn === (this.#timer !== undefined)) return
    this.#timer?.cancel()
    this.#timer = isOn ? this.#start() : undefined
  }

  #start(): Timer | undefined {
    try {
      return this.#events.context.timer(this.#clock, () => {}, Number.POSITIVE_INFINITY, {
        keepsAlive: true,
      })
    } catch (error) {
      this.#events.reportError(error, 'the process could not be kept alive for a call that waits')
      return undefined
    }
  }
}
