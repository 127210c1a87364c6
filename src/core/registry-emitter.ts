import { EventEmitter } from 'node:events'

/** The ways to add a listener. Not in every runtime does one of them call another. */
const adders = ['addListener', 'on', 'once', 'prependListener', 'prependOnceListener'] as const

// Not in the emitters, as what stands in there is seen by their users.
const listenedToIn = new WeakMap<object, Set<unknown>>()

/** The events of a {@link RegistryEmitter} that have, or once had, a listener. */
export function listenedTo(emitter: object): ReadonlySet<unknown> {
  return listenedToIn.get(emitter) as ReadonlySet<unknown>
}

/**
 * An emitter of which is known which events somebody has ever listened to.
 *
 * Each creation asks whether somebody listens. `listenerCount` looks that up in a dictionary, which takes longer than all
 * else that is asked then.
 */
export class RegistryEmitter<E extends Record<keyof E, unknown[]>> extends EventEmitter<E> {
  static {
    for (const name of adders) {
      const add = EventEmitter.prototype[name]
      Object.defineProperty(RegistryEmitter.prototype, name, {
        configurable: true,
        writable: true,
        value(this: EventEmitter, ...[event, listener]: Parameters<typeof add>) {
          listenedToIn.get(this)?.add(event)
          return add.call(this, event, listener)
        },
      })
    }
  }

  constructor() {
    super()
    listenedToIn.set(this, new Set())
  }
}
