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
  readonly held: boolean
}

/**
 * One life of a session id: a value with its times.
 *
 * It is the same object for the whole life of the session, and stays readable after the end, when its times
 * stand still. Reading it is never activity. `util.inspect` shows its fields, and of the value the outermost
 * level only.
 */
export interface Session<T> {
  readonly id: string
  /**
   * Names this life of the id: unique, made when first read, the same ever after.
   * An archive can use it as its idempotency key.
   */
  readonly incarnation: string
  /** Assigning replaces the value in place: no event, no activity. */
  value: T
  /** Epoch milliseconds on the wall clock. A session that was loaded or handed back starts anew. */
  readonly createdAt: number
  /** Epoch milliseconds: `createdAt` plus the monotonic time until the last activity. */
  readonly lastActiveAt: number
  /** Monotonic milliseconds since the last activity; 0 while the session is held. */
  readonly idleMs: number
  /** Monotonic milliseconds since the creation. */
  readonly ageMs: number
  /**
   * This session's idle timeout from now on; its idle time so far counts. Assigning `undefined` restores the
   * registry's. A session that is over stays over.
   *
   * Milliseconds; positive, or `Infinity` for no idle limit.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  get timeoutMs(): number
  set timeoutMs(timeoutMs: number | undefined)
  /** Whether a turn is running or waiting, or a hold is taken: until that ends, the session cannot. */
  readonly held: boolean
  /** The fields above, the value included, in a plain object: what `JSON.stringify` shows. Not activity. */
  toJSON(): SessionFields<T>
}
