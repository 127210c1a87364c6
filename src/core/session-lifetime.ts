import { processSingleton } from './process/process-singleton.ts'
import { type Clock, systemClock } from './time/clock.ts'

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
  readonly tombstoneMs: number
  /** `undefined` where it is not of this process. */
  readonly clock?: Clock | undefined
}

/** How long a registry tells why a session is gone, and the clock that it counts by. */
export interface TombstoneLifetime {
  /** Milliseconds, more than zero. */
  readonly tombstoneMs: number
  readonly clock: Clock
}

/** The options of a registry that an adapter knows of. */
interface LifetimeNote extends TombstoneLifetime {
  readonly timeoutMs: number
  readonly maxAgeMs: number
  readonly hasLoad: boolean
  /** `undefined` without a store. */
  readonly keepMs: number | undefined
}

/** By registry, and beside it: an adapter is given a registry of any kind, perhaps of another copy. */
function notes(): WeakMap<object, LifetimeNote> {
  return processSingleton('lifetime-notes', () => new WeakMap<object, LifetimeNote>())
}

/** Notes the options of a registry that decide the lifetime of its sessions. */
export function noteLifetime(registry: object, options: LifetimeOptions): void {
  const { timeoutMs, maxAgeMs, load, storage, tombstoneMs, clock = systemClock } = options
  const [hasLoad, keepMs] = [load !== undefined, storage?.keepMs]
  notes().set(registry, { timeoutMs, maxAgeMs, hasLoad, keepMs, tombstoneMs, clock })
}

/** Returns the lifetime of a registry's sessions; `undefined` where its options do not tell it. */
export function lifetimeOf(registry: object): SessionLifetime | undefined {
  const note = notes().get(registry)
  if (note === undefined || note.hasLoad) return undefined
  const { keepMs, timeoutMs, maxAgeMs } = note
  return { idleMs: keepMs ?? timeoutMs, ageMs: maxAgeMs }
}

/** Whether a registry is known to have a store. */
export function hasStore(registry: object): boolean {
  return notes().get(registry)?.keepMs !== undefined
}

/** Returns the `keepMs` of a registry, in milliseconds; `Infinity` where it has none or is not known. */
export function keepMsOf(registry: object): number {
  return notes().get(registry)?.keepMs ?? Number.POSITIVE_INFINITY
}

/** Returns how long a registry tells why a session is gone; `undefined` if it does not, or is not known. */
export function tombstonesOf(registry: object): TombstoneLifetime | undefined {
  const note = notes().get(registry)
  return note === undefined || note.tombstoneMs === 0 ? undefined : note
}
