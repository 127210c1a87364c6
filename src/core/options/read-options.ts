import { checkFunction, checkOptions } from './validate.ts'

/** Returns the resolved value of an option from its name and the value given, which may be `undefined`. */
export type OptionReader<V> = (name: string, given: unknown) => V

/** A reader for each option of `O`: the one list of its names, checks and defaults. */
export type OptionReaders<O> = { readonly [K in keyof O]-?: OptionReader<unknown> }

/** The values that {@link OptionReaders} return. */
export type ReadOptions<R> = { readonly [K in keyof R]: R[K] extends OptionReader<infer V> ? V : never }

type Check<V> = (name: string, value: unknown) => V

/** An option with a default. Only `undefined` is replaced by it: `null` is checked, and refused. */
export function withDefault<V>(fallback: V, check: Check<V>): OptionReader<V> {
  return (name, given) => check(name, given === undefined ? fallback : given)
}

/** An option without a default. */
export function optional<V>(check: Check<V>): OptionReader<V | undefined> {
  return (name, given) => (given === undefined ? undefined : check(name, given))
}

// biome-ignore lint/complexity/noBannedTypes: any callable is accepted here; its own type stands in the options.
export function optionalFunction<F extends Function>(): OptionReader<F | undefined> {
  return optional((name, given) => checkFunction(name, given as F))
}

/**
 * Returns the resolved options of a registry, in the order of `readers`. `ignored` are known names that are
 * not read.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function readOptions<R extends Readonly<Record<string, OptionReader<unknown>>>>(
  options: object | undefined,
  readers: R,
  ignored: readonly string[] = [],
): ReadOptions<R> {
  const given = checkOptions('options', options, [...Object.keys(readers), ...ignored])
  const values = given as Readonly<Record<string, unknown>>
  const entries = Object.entries(readers).map(([name, read]) => [name, read(name, values[name])] as const)
  return Object.fromEntries(entries) as ReadOptions<R>
}
