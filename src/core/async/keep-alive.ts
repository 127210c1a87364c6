import type { Timer } from '../time/clock.ts'
import { startTimer, type TimerHost } from './contained-timer.ts'

/** A switch that keeps the process alive, for a caller that waits for something without a timer or handle. */
export class KeepAlive {
  readonly #host: TimerHost
  #timer: Timer | undefined

  constructor(host: TimerHost) {
    this.#host = host
  }

  setActive(isOn: boolean): void {
    if (isOn === (this.#timer !== undefined)) return
    this.#timer?.cancel()
    this.#timer = isOn ? this.#start() : undefined
  }

  #start(): Timer | undefined {
    const failure = 'the process could not be kept alive for a call that waits'
    return startTimer(this.#host, () => {}, Number.POSITIVE_INFINITY, failure, { keepsAlive: true })
  }
}
