import type { InspectedSession } from './inspected-session.ts'

/**
 * Returns entries of `inspect()`, at most `max` of each kind: sessions in use, those in use for longest;
 * sessions that are idle, those idle for longest; and what is being loaded, created, archived or disposed of.
 * It takes no longer for many sessions than for a few.
 */
export type InspectSome = (max: number) => InspectedSession[]

/** In the global symbol registry: the ESM and the CJS build of the package may be loaded in one process. */
const key = Symbol.for('session-registry.inspect-some')

/** Gives all registries of a class what {@link inspectSomeOf} returns. Not a public member. */
export function provideInspectSome<R extends object>(
  { prototype }: { readonly prototype: R },
  inspectSome: (registry: R, max: number) => InspectedSession[],
): void {
  Object.defineProperty(prototype, key, {
    value(this: R, max: number) {
      return inspectSome(this, max)
    },
  })
}

/** `undefined` for a registry whose `inspect()` lists few sessions anyway. */
export function inspectSomeOf(registry: object): InspectSome | undefined {
  return (registry as { readonly [key]?: InspectSome })[key]?.bind(registry)
}
