/** A session as a {@link SessionStore} keeps it. */
export interface StoredSession {
  /**
   * A non-empty string of at most 1 024 UTF-16 units, of any content: lone surrogates and U+0000 are
   * ordinary.
   */
  readonly id: string
  /** The value, as the codec wrote it. */
  readonly text: string
  /** Random, and new at every write: what `replaces` is compared with. */
  readonly revision: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** Epoch milliseconds. */
  readonly lastActiveAt: number
  /** The session's own idle timeout, if it has one. Milliseconds; positive, or `Infinity`. */
  readonly timeoutMs?: number | undefined
  /** To whom the session belongs, if to anyone. The same kinds of strings as an id. */
  readonly owner?: string | undefined
}

/** What every call of a {@link SessionStore} that concerns one session is given. */
export interface StoreContext {
  /**
   * Aborts when the caller no longer waits. The call then settles soon, and once it has settled it has no
   * later effect.
   */
  readonly signal: AbortSignal
}

/** What `put` is given. */
export interface PutContext extends StoreContext {
  /**
   * The revision that was last seen here; `null` where none was; `undefined` to overwrite whatever is there.
   */
  readonly replaces: string | null | undefined
}

/** What `delete` is given. */
export interface DeleteContext extends StoreContext {
  /** Deletes only this revision; without it, whatever is there. */
  readonly replaces?: string | undefined
}

/**
 * A place that keeps sessions while no process has them in memory.
 *
 * Each promise fulfils only when its effect is durable, and rejects when the store cannot tell: a failure
 * never looks like a miss. A call that rejected may have had its effect. `session-registry/testing` exports
 * `storeContract`, which checks a store against all of this.
 */
export interface SessionStore {
  /** Returns the session of this id. `undefined`: there certainly is none. */
  get(id: string, context: StoreContext): Promise<StoredSession | undefined>
  /**
   * Writes the session, all of it or nothing.
   *
   * Compares `replaces` with the stored revision and writes in one step. Returns `false`, and has written
   * nothing, if another revision is there, or none where one was expected. A repeated `put` of the stored
   * revision returns `true`.
   */
  put(session: StoredSession, context: PutContext): Promise<boolean>
  /** Deletes the session of this id. Fulfils where there is none. */
  delete(id: string, context: DeleteContext): Promise<void>
  /**
   * Deletes, in one step, at most `limit` sessions that were last active before the moment `before`, and
   * returns their ids.
   *
   * `before` in epoch milliseconds: a session of exactly that moment stays.
   */
  prune?(before: number, limit: number): Promise<string[]>
  /** Returns the ids of all sessions of this owner. */
  owned?(owner: string): Promise<string[]>
  /** Lets go of what the store holds open. A later call opens it anew. */
  close?(): Promise<void>
}
