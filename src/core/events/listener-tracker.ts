import { EventEmitter } from 'node:events'

/** The methods that add a listener. Which of them call another one differs between runtimes. */
const adders = ['addListener', 'on', 'once', 'prependListener', 'prependOnceListener'] as const

/** The events of an emitter that have, or once had, a listener. */
export class ListenerTracker {
  readonly #events = new Set<unknown>()
  readonly #onFirstListener = new Map<unknown, () => void>()

  has(event: string): boolean {
    return this.#events.has(event)
  }

  /** Calls `fn` when the event gets its first listener. */
  onFirstListener(event: string, fn: () => void): void {
    this.#onFirstListener.set(event, fn)
  }

  add(event: unknown): void {
    if (this.#events.has(event)) return
    this.#events.add(event)
    this.#onFirstListener.get(event)?.()
  }
}

let trackerOf: (emitter: object) => ListenerTracker

/** Returns the tracker of a {@link RegistryEmitter}. */
export function listenersOf(emitter: object): ListenerTracker {
  return trackerOf(emitter)
}

/**
 * An emitter that remembers which events ever had a listener.
 *
 * Each creation and each end checks for listeners. `listenerCount` is a look-up in a dictionary, which takes
 * longer than all else that is checked then.
 */
export class RegistryEmitter<E extends Record<keyof E, unknown[]>> extends EventEmitter<E> {
  // Not in a `WeakMap` with the emitter as key: the young generation's collections would keep all emitters.
  readonly #tracker = new ListenerTracker()

  static {
    trackerOf = (emitter) => (emitter as RegistryEmitter<never>).#tracker
    for (const name of adders) {
      const add = EventEmitter.prototype[name]
      Object.defineProperty(RegistryEmitter.prototype, name, {
        configurable: true,
        writable: true,
        value(this: EventEmitter, ...[event, listener]: Parameters<typeof add>) {
          if (#tracker in this) this.#tracker.add(event)
          return add.call(this, event, listener)
        },
      })
    }
  }
}
