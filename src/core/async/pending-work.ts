import type { KeepAlive } from './keep-alive.ts'

/** A counter of work across `await`, for callers that wait until there is none. */
export class PendingWork {
  readonly #keepAlive: KeepAlive
  readonly #waiters: (() => void)[] = []
  #count = 0
  #isChecking = false

  constructor(keepAlive: KeepAlive) {
    this.#keepAlive = keepAlive
  }

  begin(): void {
    this.#count += 1
  }

  end(): void {
    this.#count -= 1
    if (this.#count === 0 && this.#waiters.length > 0) this.#check()
  }

  /** Counts as work until the promise settles. */
  async track<R>(work: Promise<R>): Promise<R> {
    this.begin()
    try {
      return await work
    } finally {
      this.end()
    }
  }

  /** Fulfils at a moment when no work is under way. The process stays alive until then. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve)
      this.#keepAlive.setActive(true)
      this.#check()
    })
  }

  /** In a microtask, since the end of one piece of work often starts another. */
  #check(): void {
    if (this.#isChecking) return
    this.#isChecking = true
    queueMicrotask(() => {
      this.#isChecking = false
      if (this.#count > 0) return
      this.#keepAlive.setActive(false)
      for (const resolve of this.#waiters.splice(0)) resolve()
    })
  }
}
