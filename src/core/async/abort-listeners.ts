import { LinkedQueue } from './linked-queue.ts'

/** What listens to one signal, through one listener. */
class SignalListeners {
  readonly #signal: AbortSignal
  readonly #callbacks = new LinkedQueue<() => void>()
  readonly #onAbort = () => this.#callAll()

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  add(callback: () => void): () => void {
    const entry = this.#callbacks.push(callback)
    return () => {
      if (!entry.remove() || this.#callbacks.size > 0 || this.#signal.aborted) return
      listenersOf.delete(this.#signal)
      this.#signal.removeEventListener('abort', this.#onAbort)
    }
  }

  #callAll(): void {
    listenersOf.delete(this.#signal)
    for (let next = this.#callbacks.shift(); next !== undefined; next = this.#callbacks.shift()) next()
  }
}

const listenersOf = new WeakMap<AbortSignal, SignalListeners>()

/**
 * Calls `callback` when the signal aborts, at once if it has, and returns a function that takes that back.
 *
 * A signal gets one listener, however many callbacks there are: Node warns of a leak from the eleventh
 * listener on, and removing one of many listeners takes a search through all of them. A callback must not
 * throw.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback()
    return () => {}
  }
  let listeners = listenersOf.get(signal)
  if (listeners === undefined) {
    listeners = new SignalListeners(signal)
    listenersOf.set(signal, listeners)
  }
  return listeners.add(callback)
}

/**
 * Why a signal aborted. Some polyfills give no reason; then it is the `AbortError` that the platform would
 * have given.
 */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason === undefined ? abortError() : signal.reason
}

export function abortError(message = 'This operation was aborted'): DOMException {
  return new DOMException(message, 'AbortError')
}

/** Whether an error says that something was aborted, whichever library made it. */
export function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { name?: unknown }).name === 'AbortError'
}
