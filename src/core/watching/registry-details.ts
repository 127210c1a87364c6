import type { InspectedSession } from './inspected-session.ts'

/** What the entries that watch registries read of one, beside its public members. */
export interface RegistryDetails {
  /** The option `name`. */
  readonly name: string
  /**
   * Returns entries of `inspect()`, at most `max` of each kind: the sessions that have been in use for
   * longest, those that have been idle for longest, and what is being loaded, created, archived or disposed
   * of. Its cost does not depend on the number of sessions. Absent where `inspect()` lists few anyway.
   */
  readonly inspectSome?: (max: number) => InspectedSession[]
}

/** Registered, so that it is found across ESM and CJS, and across copies of the library. */
const key = Symbol.for('session-registry.details')

/** Lets {@link detailsOf} find the details of all instances of a class. */
export function provideDetails<R extends object>(
  { prototype }: { readonly prototype: R },
  read: (registry: R) => RegistryDetails,
): void {
  Object.defineProperty(prototype, key, {
    get(this: R) {
      return read(this)
    },
  })
}

/** Returns the details of a registry; `undefined` for any other object. */
export function detailsOf(registry: object): RegistryDetails | undefined {
  return (registry as { readonly [key]?: RegistryDetails })[key]
}
