import type { Clock } from '../time/clock.ts'

/**
 * The identity of one registry in the messages that it publishes: several registries may have one name.
 */
export interface Origin {
  readonly name: string
  /** The clock of the registry, for durations of what it publishes. */
  readonly clock: Clock
}

// In the global symbol registry: the ESM and the CJS build of the package may be loaded in one process.
const originKey = Symbol.for('session-registry.origin')

/** Marks a registry, or a message of it. Not enumerable, so that nothing that prints a message shows it. */
export function markOrigin(marked: object, origin: Origin): void {
  Object.defineProperty(marked, originKey, { value: origin })
}

/** Returns the origin of a registry or a message; `undefined` for what has none. */
export function originOf(marked: unknown): Origin | undefined {
  if (typeof marked !== 'object' || marked === null) return undefined
  return (marked as { readonly [originKey]?: Origin })[originKey]
}
