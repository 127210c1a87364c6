import type { StoredSession } from '../../core/store.ts'

/** What is compared to find out whether a session has changed since it was written. */
export interface StoredContent {
  /** The digest of the text. The text itself would double the memory of a session. */
  readonly digest: string
  /** The own idle timeout of the session, in milliseconds. */
  readonly timeoutMs: number | undefined
  readonly owner: string | undefined
}

/** A write whose outcome is not known yet. */
interface Attempt {
  readonly revision: string
  readonly content: StoredContent
}

/**
 * What a store has of one session, as far as this process knows.
 *
 * The store compares: a write names the revision that it replaces. A write that failed may have had its
 * effect, or may still have it. So its revision counts as this process's own until a later write is
 * acknowledged.
 */
export class StoreEntry {
  /** Epoch milliseconds; `undefined` until the session is written for the first time. */
  createdAt: number | undefined
  /**
   * The revision last seen; `null` where there was none; `undefined`: whatever is there is to be overwritten.
   */
  revision: string | null | undefined
  /** The time of the last activity that the store knows, in epoch milliseconds. */
  lastActiveAt = Number.NEGATIVE_INFINITY
  owner: string | undefined = undefined
  /**
   * The time of the last activity, in epoch milliseconds, before the session was restored, at a monotonic
   * time.
   */
  beforeRestore: { readonly restored: number; readonly lastActiveAt: number } | undefined = undefined
  /** What the store has; `undefined` where it has nothing of this session. */
  #content: StoredContent | undefined = undefined
  /** The last of the writes since then that were not acknowledged. */
  #lastAttempt: Attempt | undefined = undefined
  readonly #attempted = new Set<string>()
  /** Number of snapshots that were taken to be written: the number of the newest one. */
  #taken = 0
  /** Number of the newest snapshot that was written. */
  #written = 0

  constructor(createdAt: number | undefined, revision: string | null | undefined) {
    this.createdAt = createdAt
    this.revision = revision
  }

  /** Returns the entry of a session that was read. */
  static of(stored: StoredSession, digest: string): StoreEntry {
    const entry = new StoreEntry(stored.createdAt, stored.revision)
    const { timeoutMs, owner, lastActiveAt } = stored
    entry.owner = owner
    entry.lastActiveAt = lastActiveAt
    entry.#content = { digest, timeoutMs, owner }
    return entry
  }

  /** The own idle timeout of the session that was read, in milliseconds. */
  get timeoutMs(): number | undefined {
    return this.#content?.timeoutMs
  }

  /** Returns the number of a snapshot that is taken now. A later one has a higher number. */
  number(): number {
    this.#taken += 1
    return this.#taken
  }

  /** Whether this is what the store has for certain, and no other state is going to be written. */
  has(content: StoredContent): boolean {
    return this.#taken === this.#written && this.isWritten(content)
  }

  /** Whether this is what the last write has written. */
  isWritten(content: StoredContent): boolean {
    return this.#lastAttempt === undefined && this.#content !== undefined && isSame(this.#content, content)
  }

  /** Whether a later snapshot was written: this one is a part of it. */
  isOvertaken(number: number): boolean {
    return number < this.#written
  }

  /** Whether a write with this revision was made here and may have had its effect. */
  isOwn(revision: string): boolean {
    return revision === this.revision || this.#attempted.has(revision)
  }

  /** Whether a write was made whose outcome is unknown. */
  get isUncertain(): boolean {
    return this.#attempted.size > 0
  }

  /**
   * Notes that this is about to be written. Returns the revision: that of the last attempt if it is a repeat,
   * which the store recognises by it.
   */
  begin(content: StoredContent, newRevision: () => string): string {
    const last = this.#lastAttempt
    const attempt =
      last !== undefined && isSame(last.content, content) ? last : { revision: newRevision(), content }
    this.#lastAttempt = attempt
    this.#attempted.add(attempt.revision)
    return attempt.revision
  }

  /** Notes that the store has this snapshot. */
  onWritten(number: number): void {
    this.#written = number
  }

  /** Notes that the store has written the last attempt. */
  acknowledge(lastActiveAt: number): void {
    const last = this.#lastAttempt
    if (last === undefined) return
    this.revision = last.revision
    this.#content = last.content
    this.lastActiveAt = lastActiveAt
    this.#lastAttempt = undefined
    this.#attempted.clear()
  }
}

function isSame(one: StoredContent, other: StoredContent): boolean {
  return one.digest === other.digest && one.timeoutMs === other.timeoutMs && one.owner === other.owner
}
