/**
 * Returns a value that exists once per process, made by `make` at its first use.
 *
 * Several copies of the library may be loaded: ESM beside CJS, two versions, or one module again after a hot
 * reload. What they share is a property of the global object.
 */
export function processSingleton<V>(name: string, make: () => V): V {
  const key = Symbol.for(`session-registry.${name}`)
  const found = (globalThis as { readonly [key: symbol]: unknown })[key]
  if (found !== undefined) return found as V
  const value = make()
  // Not enumerable. Where the host has frozen its global object, each copy has its own value.
  Reflect.defineProperty(globalThis, key, { value })
  return value
}
