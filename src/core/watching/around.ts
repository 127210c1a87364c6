/** Calls a function, and returns what it returns. */
export type Around = <R>(call: () => R) => R

// In the global symbol registry, as the origin of a message.
const aroundKey = Symbol.for('session-registry.around')

/**
 * Makes the function of an operation be called by `around`, with all that it does. For subscribers of
 * `start`: a context that is entered by a function, such as that of OpenTelemetry, cannot be bound to the
 * channel, since Node 26 enters bound stores without one.
 */
export function callAround(message: object, around: Around): void {
  const before = aroundOf(message)
  const value: Around = before === undefined ? around : (call) => before(() => around(call))
  Object.defineProperty(message, aroundKey, { value, configurable: true })
}

/** Returns what was set by {@link callAround}. */
export function aroundOf(message: object): Around | undefined {
  return (message as { readonly [aroundKey]?: Around })[aroundKey]
}
