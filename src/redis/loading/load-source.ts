import type { CallLoad } from '../../core/async/load-calls.ts'
import type { CheckedCodec } from '../../core/codec/codec.ts'
import type { LoadSession } from '../../core/hooks.ts'
import type { StoredSession } from '../../core/store.ts'
import type { DurableStore } from '../storing/durable-store.ts'

/** What was found under the id of a session that is not in Redis. */
export interface FoundSession {
  readonly text: string
  /** To whom it belongs: as the store has it, or for whom the hook was called. */
  readonly owner: string | undefined
  /** The session of the store; `undefined` if the hook of the user found it. */
  readonly stored: StoredSession | undefined
}

/** How a session that is not in Redis is looked for: in the store, or by the hook of the user. */
export interface LoadSource {
  readonly load: CallLoad<unknown>
  /** Whether it is told who asks, and may refuse. */
  readonly tellsOwner: boolean
  /**
   * Returns what a call of `load` for an owner has found; `undefined` if there is nothing.
   *
   * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
   */
  read(result: unknown, owner: string | undefined): FoundSession | undefined
}

/** Returns the source of sessions; `undefined` where none is. */
export function loadSource<T>(
  durable: DurableStore<T> | undefined,
  load: LoadSession<T> | undefined,
  codec: CheckedCodec<T>,
): LoadSource | undefined {
  if (durable !== undefined) {
    return {
      load: (id, context) => durable.read(id, context),
      tellsOwner: false,
      read: (result) => {
        const stored = result as StoredSession | undefined
        return stored && { text: stored.text, owner: stored.owner, stored }
      },
    }
  }
  if (load === undefined) return undefined
  return {
    load,
    tellsOwner: true,
    read: (value, owner) =>
      value === undefined ? undefined : { text: codec.encode(value as T), owner, stored: undefined },
  }
}
