/** The fields of a {@link Session} in a plain object, as they were when it was made. */
export interface SessionFields<T> {
  readonly id: string
  readonly incarnation: string
  readonly value: T
  readonly createdAt: number
  readonly lastActiveAt: number
  readonly idleMs: number
  readonly ageMs: number
  readonly timeoutMs: number
  readonly owner?: string
  readonly held: boolean
}

/**
 * One incarnation of a session id: a value with its times.
 *
 * It is the same object from creation to end, and stays readable afterwards, when its times stand still.
 * Reading it is never activity. `util.inspect` shows its fields, and only the outermost level of the value.
 */
export interface Session<T> {
  readonly id: string
  /**
   * The name of this incarnation: unique, made when first read, and constant. An archive can use it as its
   * idempotency key.
   */
  readonly incarnation: string
  /** Assigning replaces the value in place: no event, no activity. */
  value: T
  /**
   * Epoch milliseconds of the wall clock. A session that was loaded or restored starts anew, unless it is in
   * a `store`: then it is the time of its first creation.
   */
  readonly createdAt: number
  /** Epoch milliseconds: `createdAt` plus the monotonic time until the last activity. */
  readonly lastActiveAt: number
  /** Monotonic milliseconds since the last activity; 0 while the session is held. */
  readonly idleMs: number
  /** Monotonic milliseconds since the creation. */
  readonly ageMs: number
  /**
   * The idle timeout of this session; the idle time so far counts. Assigning `undefined` restores the
   * registry's. An expired session stays expired.
   *
   * Milliseconds; positive, or `Infinity` for no idle limit.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  get timeoutMs(): number
  set timeoutMs(timeoutMs: number | undefined)
  /**
   * To whom the session belongs; `undefined`: to no one. Assigning ends no session, also above `maxPerOwner`.
   *
   * A non-empty string of at most 1 024 UTF-16 units.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  owner: string | undefined
  /**
   * Whether a turn is running or waiting, or a hold is taken: meanwhile the session neither expires nor is
   * evicted.
   */
  readonly held: boolean
  /** Returns the fields above in a plain object, for `JSON.stringify`. Not activity. */
  toJSON(): SessionFields<T>
}
