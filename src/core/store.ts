/** A session in a {@link SessionStore}. */
export interface StoredSession {
  /** A non-empty string of at most 1 024 UTF-16 units, lone surrogates and U+0000 included. */
  readonly id: string
  /** The value, encoded by the codec. */
  readonly text: string
  /** The name of this write, random: `replaces` is compared with it. */
  readonly revision: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** Epoch milliseconds. */
  readonly lastActiveAt: number
  /** The session's own idle timeout, if it has one. Milliseconds; positive, or `Infinity`. */
  readonly timeoutMs?: number | undefined
  /** The owner of the session, if it has one. The same kind of string as an id. */
  readonly owner?: string | undefined
}

/** The context of a call that concerns one session. */
export interface StoreContext {
  /**
   * Aborts when the caller no longer waits. The call must then settle soon, and have no effect after that.
   */
  readonly signal: AbortSignal
}

/** The context of `put`. */
export interface PutContext extends StoreContext {
  /**
   * The revision that this process last saw; `null`: it saw none; `undefined`: overwrite whatever is stored.
   */
  readonly replaces: string | null | undefined
}

/** The context of `delete`. */
export interface DeleteContext extends StoreContext {
  /** The only revision to delete; without it, delete whatever is stored. */
  readonly replaces?: string | undefined
}

/**
 * A durable store of sessions, outside of the memory of any process.
 *
 * Each promise fulfils only when its effect is durable, and rejects if the store does not know: a failure
 * never looks like a miss. A call that rejected may have had its effect. `storeContract` of
 * `session-registry/testing` checks a store against this contract.
 */
export interface SessionStore {
  /** Returns the session of this id, or `undefined` if there certainly is none. */
  get(id: string, context: StoreContext): Promise<StoredSession | undefined>
  /**
   * Writes the session, all of it or nothing.
   *
   * Compares `replaces` with the stored revision and writes in one step. Returns `false`, without a write, if
   * another revision is stored, or none although one was expected. A repeated `put` of the stored revision
   * returns `true`.
   */
  put(session: StoredSession, context: PutContext): Promise<boolean>
  /** Deletes the session of this id. Fulfils if there is none. */
  delete(id: string, context: DeleteContext): Promise<void>
  /**
   * Deletes at most `limit` sessions that were last active before `before`, each in one step, and returns
   * their ids.
   *
   * `before` is in epoch milliseconds: a session of exactly that time stays.
   */
  prune?(before: number, limit: number): Promise<string[]>
  /** Returns the ids of all sessions of this owner. */
  owned?(owner: string): Promise<string[]>
  /** Closes what the store opened. A later call opens it again. */
  close?(): Promise<void>
}
