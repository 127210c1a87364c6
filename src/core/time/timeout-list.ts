import { startTimer, type TimerHost } from '../async/contained-timer.ts'
import type { Failure } from '../events/log-lines.ts'
import type { Timer } from './clock.ts'

/** A wait in a {@link TimeoutList}. */
export interface ListedTimeout {
  /** Ends the wait, in constant time. It has no effect once the wait is over. */
  cancel(): void
}

/** The properties of all waits of a {@link TimeoutList}. */
export interface TimeoutListInit<T> {
  /** How long each wait lasts, in milliseconds; positive, or `Infinity` for none. */
  readonly durationMs: number
  /** Reported where the host has no timer: these waits then last for ever. */
  readonly failure: Failure
  /**
   * Called when a wait has lasted for the duration, in the context of the registry. It must not throw.
   * `lastedMs`: for how long it has, since a busy host is late.
   */
  readonly onDue: (value: T, lastedMs: number) => void
}

class Entry<T> implements ListedTimeout {
  readonly value: T
  readonly begunAt: number
  previous: Entry<T> | undefined = undefined
  next: Entry<T> | undefined = undefined
  #list: TimeoutList<T> | undefined

  constructor(list: TimeoutList<T>, value: T, begunAt: number) {
    this.#list = list
    this.value = value
    this.begunAt = begunAt
  }

  cancel(): void {
    const list = this.#list
    if (list === undefined) return
    this.#list = undefined
    list.remove(this)
  }
}

/** More than sums of times are rounded by, in milliseconds. */
const roundingMs = 0.001

/** A wait that could not begin. */
const none: ListedTimeout = { cancel: () => {} }

/**
 * A timing list: waits of one duration, under one timer.
 *
 * They come due in the order in which they begin, so the timer need only be armed for the first of them. Most
 * waits are cancelled before: that unlinks an entry and leaves the timer as it is. When the timer fires, it
 * is armed anew for the entry that is the first by then. Without an entry there is no timer.
 *
 * The timer keeps no process alive. One that fires late first lets pending events be handled.
 */
export class TimeoutList<T> {
  readonly #host: TimerHost
  readonly #init: TimeoutListInit<T>
  #first: Entry<T> | undefined = undefined
  #last: Entry<T> | undefined = undefined
  #timer: Timer | undefined = undefined
  #isFiring = false

  constructor(host: TimerHost, init: TimeoutListInit<T>) {
    this.#host = host
    this.#init = init
  }

  /** Begins a wait. `value` is passed to `onDue`. `begunAt`: the present time, if it was just read. */
  add(value: T, begunAt = this.#readClock()): ListedTimeout {
    const { durationMs } = this.#init
    if (durationMs === Number.POSITIVE_INFINITY || begunAt === undefined) return none
    const entry = new Entry(this, value, begunAt)
    entry.previous = this.#last
    if (this.#last === undefined) this.#first = entry
    else this.#last.next = entry
    this.#last = entry
    if (this.#timer === undefined && !this.#isFiring) this.#arm(durationMs)
    return entry
  }

  /** Only for {@link ListedTimeout.cancel}. */
  remove(entry: Entry<T>): void {
    const { previous, next } = entry
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    // An entry often outlives its place: it must not keep its former neighbours.
    entry.previous = undefined
    entry.next = undefined
    if (this.#first !== undefined) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(ms: number): void {
    const options = { catchesUp: true }
    this.#timer = startTimer(this.#host, () => this.#fire(), ms, this.#init.failure, options)
  }

  #fire(): void {
    this.#timer = undefined
    this.#isFiring = true
    const now = this.#now()
    try {
      for (let first = this.#first; first !== undefined && this.#isDue(first, now); first = this.#first) {
        first.cancel()
        this.#init.onDue(first.value, now - first.begunAt)
      }
    } finally {
      this.#isFiring = false
      if (this.#first !== undefined) this.#arm(Math.max(this.#remainingMs(this.#first, now), 1))
    }
  }

  /**
   * Never early: the timer was armed for another entry, or the host fires a fraction early. Not due is what
   * has begun since the timer fired, however short the duration.
   */
  #isDue(entry: Entry<T>, now: number): boolean {
    return entry.begunAt < now && this.#remainingMs(entry, now) < roundingMs
  }

  #remainingMs({ begunAt }: Entry<T>, now: number): number {
    return begunAt + this.#init.durationMs - now
  }

  #readClock(): number | undefined {
    try {
      return this.#host.clock.now()
    } catch (error) {
      this.#host.events.reportError(error, this.#init.failure)
      return undefined
    }
  }

  /** Returns the time; if the clock fails, that at which the first wait is due. */
  #now(): number {
    try {
      return this.#host.clock.now()
    } catch {
      return this.#first === undefined ? 0 : this.#first.begunAt + this.#init.durationMs
    }
  }
}
