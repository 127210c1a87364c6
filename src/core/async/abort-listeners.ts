import { getMaxListeners, setMaxListeners } from 'node:events'
import { LinkedQueue } from './linked-queue.ts'

/** The callbacks of one signal, behind one listener. */
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
 * Calls `callback` when the signal aborts, at once if it has. Returns a function that removes the callback.
 *
 * A signal gets one listener, however many callbacks there are: Node warns of a leak from the eleventh
 * listener on, and the removal of one of many is a linear search. A callback must not throw.
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

/** Returns the reason of an aborted signal, or the platform's `AbortError` where a polyfill has none. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason === undefined ? abortError() : signal.reason
}

export function abortError(message = 'This operation was aborted'): DOMException {
  return new DOMException(message, 'AbortError')
}

/** Whether an error is an `AbortError`, of any library. */
export function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { name?: unknown }).name === 'AbortError'
}

/** Whether signals warn of their eleventh listener: up to Node 20, and on Bun. */
const signalsWarn = getMaxListeners(new AbortController().signal) !== 0

/** Lets a signal have any number of listeners without a warning. */
export function allowListeners(signal: AbortSignal): void {
  if (signalsWarn) setMaxListeners(0, signal)
}
