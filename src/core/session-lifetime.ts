import { processSingleton } from './process/process-singleton.ts'

/** How long the sessions of a registry can be found, in milliseconds; `Infinity` where there is no limit. */
export interface SessionLifetime {
  /** From the last activity. */
  readonly idleMs: number
  /** From the creation. */
  readonly ageMs: number
}

/** The options of a registry that decide it. */
export interface LifetimeOptions {
  readonly timeoutMs: number
  readonly maxAgeMs: number
  /** Its sessions are found for as long as this hook finds them. */
  readonly load: unknown
  readonly storage: { readonly keepMs: number } | undefined
}

/** By registry, and beside it: an adapter is given a registry of any kind, perhaps of another copy. */
function lifetimes(): WeakMap<object, SessionLifetime> {
  return processSingleton('lifetimes', () => new WeakMap<object, SessionLifetime>())
}

/** Notes the lifetime of a registry's sessions, where its options tell it. */
export function noteLifetime(registry: object, options: LifetimeOptions): void {
  const { timeoutMs, maxAgeMs, load, storage } = options
  if (load !== undefined) return
  lifetimes().set(registry, { idleMs: storage === undefined ? timeoutMs : storage.keepMs, ageMs: maxAgeMs })
}

/** Returns the lifetime of a registry's sessions; `undefined` where it is not known. */
export function lifetimeOf(registry: object): SessionLifetime | undefined {
  return lifetimes().get(registry)
}
