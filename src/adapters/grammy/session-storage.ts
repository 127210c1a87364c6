import { type SessionIdInput, toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { deleteStored } from '../../core/storing/delete-stored.ts'
import { cloneState } from '../../core/values/clone-state.ts'
import { RepeatableRead } from './repeatable-read.ts'
import { findStaleWrites } from './stale-writes.ts'
import { isInTurn } from './update-turn.ts'

/**
 * The storage of grammY's `session()` (`read`, `write`, `delete`) and the store of telegraf's (`get`, `set`,
 * `delete`) in one object.
 */
export interface SessionStorage<S> {
  /**
   * Returns a copy of the value; `undefined`, never `null`, without a session and for an emptied one.
   * Activity. It waits for no turn and creates nothing; inside a turn it sees what the turn has.
   *
   * Rejects with `ERR_SESSION_ID_INVALID`.
   */
  read(this: void, key: SessionIdInput): Promise<S | undefined>
  /**
   * Stores a copy of the value; creates the session where there is none. Activity. Outside a turn it is a
   * short turn of its own; inside a turn of the session it joins that turn.
   *
   * The copy keeps what JSON keeps, and dates, maps, sets and bytes; functions are left out.
   *
   * Rejects with `ERR_SESSION_ID_INVALID`, and with `ERR_SESSION_VALUE_INVALID` where nothing can be copied.
   */
  write(this: void, key: SessionIdInput, value: S): Promise<void>
  /**
   * Ends the session, and waits until the registry's store has deleted it. Inside a turn of the session it
   * empties the value instead, to `null`, and the session lives on.
   *
   * Rejects with `ERR_SESSION_ID_INVALID`, and with `ERR_SESSION_STORE_FAILED` if the store takes more than 3
   * seconds; the deletion goes on then.
   */
  delete(this: void, key: SessionIdInput): Promise<void>
  /**
   * {@link read}, for telegraf: awaited again after a failure, the same promise reads anew, since telegraf
   * awaits a rejected one for every later update of the key.
   */
  get(this: void, name: SessionIdInput): Promise<S | undefined>
  /** {@link write}, for telegraf. */
  set(this: void, name: SessionIdInput, value: S): Promise<void>
}

/**
 * Returns the `storage` of grammY's `session()`, which is the `store` of telegraf's too, for a registry of
 * session data.
 *
 * Both read when an update comes and write when it has been handled: two updates at once each write what they
 * read, and one change is lost. So use `sessionTurns` before `session()`.
 *
 * A session may be empty: its value is `null` then. So the type of a registry without `create` is
 * `SessionRegistry<SessionData | null>`, and listeners and `archive` have to expect it.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const sessions = new SessionRegistry<SessionData | null>()
 * bot.use(sessionTurns(sessions), session({ initial, storage: sessionStorage(sessions) }))
 */
export function sessionStorage<S>(source: SessionSource<S | null | undefined>): SessionStorage<S> {
  assertSource(source)

  const read = async (key: SessionIdInput) => {
    const id = toSessionId(key)
    const check = isInTurn(source, id) ? undefined : findStaleWrites(source)
    const copy = (session: { value: S | null | undefined }) => {
      const value = cloneState(session.value) ?? undefined
      check?.onRead(id, value)
      return value
    }
    return source.run(id, copy, { whenBusy: 'join', create: false })
  }

  const write = async (key: SessionIdInput, value: S) => {
    const id = toSessionId(key)
    const copy = cloneState(value) ?? emptyValue
    const assign = (session: { value: S | null | undefined }) => {
      session.value = copy
    }
    findStaleWrites(source)?.onWrite(id, value)
    // Nothing that a factory of the registry makes would be kept.
    await source.run(id, assign, { create: () => copy })
  }

  const remove = async (key: SessionIdInput) => {
    const id = toSessionId(key)
    if (!isInTurn(source, id)) {
      await deleteStored(source, id)
      return
    }
    const empty = (session: { value: S | null | undefined }) => {
      session.value = emptyValue
    }
    await source.run(id, empty, { create: false })
  }

  return { read, write, delete: remove, get: (name) => new RepeatableRead(() => read(name)), set: write }
}

/** The value of a session that has nothing, since JSON has no `undefined`. */
export const emptyValue = null
