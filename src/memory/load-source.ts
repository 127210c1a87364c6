import type { CallLoad } from '../core/async/load-calls.ts'
import type { LoadSession } from '../core/hooks.ts'
import type { StoreEntry } from './storing/store-entry.ts'

/** What was found under the id of a session that is not in memory. */
export interface FoundSession<T> {
  /** `undefined` where there is none. */
  readonly found: { readonly value: T } | undefined
  /** What the store has under the id; `undefined` without a store. */
  readonly stored: StoreEntry | undefined
}

/** How a session that is not in memory is looked for: by the hook of the user, or in a store. */
export interface LoadSource<T> {
  readonly load: CallLoad<unknown>
  /** Whether it is told who asks, and may refuse. */
  readonly tellsOwner: boolean
  /** Returns what a call of `load` has found. */
  read(result: unknown): FoundSession<T>
}

/** Looks for sessions by the hook of the user. */
export function loadByHook<T>(load: LoadSession<T> | undefined): LoadSource<T> | undefined {
  if (load === undefined) return undefined
  return {
    load,
    tellsOwner: true,
    read: (value) => ({ found: value === undefined ? undefined : { value: value as T }, stored: undefined }),
  }
}
