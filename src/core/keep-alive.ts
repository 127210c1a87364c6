import type { Announcer } from './announcer.ts'
import type { Clock, Timer } from './clock.ts'

/** Keeps the process alive while it is on: for a caller that waits for something with no timer or handle of its own. */
export class KeepAlive {
  readonly #clock: Clock
  readonly #announcer: Announcer
  #timer: Timer | undefined

  constructor(host: { readonly clock: Clock; readonly announcer: Announcer }) {
    this.#clock = host.clock
    this.#announcer = host.announcer
  }

  turn(isOn: boolean): void {
    if (isOn === (this.#timer !== undefined)) return
    this.#timer?.cancel()
    this.#timer = isOn ? this.#started() : undefined
  }

  #started(): Timer | undefined {
    try {
      return this.#announcer.context.timer(this.#clock, () => {}, Number.POSITIVE_INFINITY, {
        keepsAlive: true,
      })
    } catch (error) {
      this.#announcer.report(error, 'the process could not be kept alive for a call that waits')
      return undefined
    }
  }
}
