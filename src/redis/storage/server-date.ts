import { type FullClock, realClock } from '../../core/time/clock.ts'

/**
 * The date of the server, from the last of its replies that had one: what is stored outside of Redis is dated
 * by it, so that the clocks of the processes do not matter.
 */
export class ServerDate {
  /** By how much the server's epoch milliseconds are ahead of the monotonic time of this process. */
  #offset: number | undefined

  observe(serverNow: number): void {
    this.#offset = serverNow - realClock.now()
  }

  /** Epoch milliseconds of the server; of this process, while there was no reply. */
  now(): number {
    return this.#offset === undefined ? realClock.date() : Math.round(this.#offset + realClock.now())
  }

  /** Returns the real clock with this date. */
  get clock(): FullClock {
    return { ...realClock, date: () => this.now() }
  }
}
