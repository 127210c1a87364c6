import type { HookCall } from '../../core/async/hook-call.ts'
import type { QueueEntry } from '../../core/async/linked-queue.ts'
import type { Timer } from '../../core/time/clock.ts'

/** A caller that waits for a deletion, at most for a number of tries. */
interface Watcher {
  triesLeft: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** The deletion of one session from the store, over all its tries. */
export class Deletion {
  readonly id: string
  attempt = 0
  /** Whether it was asked for again while the try in flight may have had its effect already. */
  isAskedAgain = false
  /** Its entry in the queue of deletions that are ready for a try. */
  entry: QueueEntry<Deletion> | undefined = undefined
  /** The try in flight. */
  call: HookCall<void> | undefined = undefined
  /** The pause after a try. */
  pause: Timer | undefined = undefined
  /** Called when it is done: by calls that wait for the id. */
  readonly waiters = new Set<() => void>()
  readonly #watchers = new Set<Watcher>()

  constructor(id: string) {
    this.id = id
  }

  get isAwaited(): boolean {
    return this.waiters.size > 0 || this.#watchers.size > 0
  }

  /** Fulfils when it is done; rejects with the error of the last of `tries`. */
  whenDone(tries: number): Promise<void> {
    return new Promise((resolve, reject) => this.#watchers.add({ triesLeft: tries, resolve, reject }))
  }

  /** Sets whether the try in flight or the pause keeps the process alive. */
  keepAlive(isOn: boolean): void {
    for (const timer of [this.call, this.pause]) isOn ? timer?.ref() : timer?.unref()
  }

  onFailed(error: unknown): void {
    for (const watcher of this.#watchers) {
      watcher.triesLeft -= 1
      if (watcher.triesLeft > 0) continue
      this.#watchers.delete(watcher)
      watcher.reject(error)
    }
  }

  /** Ends all waits, in a microtask, since they go on to call user code. `error`: it was given up. */
  end(error?: unknown): void {
    for (const { resolve, reject } of this.#watchers) error === undefined ? resolve() : reject(error)
    this.#watchers.clear()
    if (this.waiters.size > 0)
      queueMicrotask(() => {
        for (const resume of this.waiters) resume()
      })
  }
}
