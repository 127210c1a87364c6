import { type InspectOptions, inspect } from 'node:util'
import type { CheckedCodec } from '../core/codec/codec.ts'
import { checkOwner } from '../core/options/call-options.ts'
import { checkOwnTimeout } from '../core/options/store-options.ts'
import { assertAdmitted } from '../core/owner.ts'
import type { Session, SessionFields } from '../core/session.ts'
import { fieldsOf, inspectSession } from '../core/session-fields.ts'
import { type Clock, realClock } from '../core/time/clock.ts'
import { isChanged, type SessionChanges } from './storage/session-changes.ts'
import type { SessionSnapshot } from './storage/session-snapshot.ts'

/** The idle timeouts of a registry, in milliseconds. */
export interface SessionTimeouts {
  readonly timeoutMs: number
  /** The longest that a session may have of its own. */
  readonly maxTimeoutMs: number
}

/** A session as a turn has it. */
export interface CurrentState {
  readonly text: string
  readonly timeoutMs: number
  readonly owner: string | undefined
  /** Epoch milliseconds. */
  readonly lastActiveAt: number
  /** Whether Redis has this text, timeout and owner. */
  readonly isCommitted: boolean
}

/**
 * A copy of one incarnation of a session, with its times as of the read. Those of a turn's session go on
 * until the turn ends.
 *
 * The value is decoded when it is first read, since many listeners never look at it.
 */
export class RedisSession<T> implements Session<T> {
  readonly #snapshot: SessionSnapshot
  readonly #codec: CheckedCodec<T>
  readonly #registryTimeoutMs: number
  readonly #maxTimeoutMs: number
  readonly #clock: Clock
  #value: { of: T } | undefined
  #timeoutMs: number
  #owner: string | undefined
  /** Monotonic time of the start of the turn. */
  #turnStartedAt: number | undefined
  #isHeld: boolean
  #ageMs: number

  constructor(
    snapshot: SessionSnapshot,
    codec: CheckedCodec<T>,
    { timeoutMs, maxTimeoutMs }: SessionTimeouts,
    clock: Clock = realClock,
  ) {
    this.#clock = clock
    this.#snapshot = snapshot
    this.#codec = codec
    this.#registryTimeoutMs = timeoutMs
    this.#maxTimeoutMs = maxTimeoutMs
    this.#timeoutMs = snapshot.timeoutMs
    this.#owner = snapshot.owner
    this.#isHeld = snapshot.held
    this.#ageMs = Math.max(snapshot.seenAt - snapshot.createdAt, 0)
  }

  get id(): string {
    return this.#snapshot.id
  }

  get incarnation(): string {
    return this.#snapshot.incarnation
  }

  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  get value(): T {
    this.#value ??= { of: this.#codec.decode(this.#snapshot.text) }
    return this.#value.of
  }

  set value(value: T) {
    this.#value = { of: value }
  }

  get createdAt(): number {
    return this.#snapshot.createdAt
  }

  get lastActiveAt(): number {
    return this.#isHeld ? Math.round(this.createdAt + this.ageMs) : this.#snapshot.lastActiveAt
  }

  get idleMs(): number {
    return this.#isHeld ? 0 : Math.max(this.#snapshot.seenAt - this.#snapshot.lastActiveAt, 0)
  }

  get ageMs(): number {
    return this.#turnStartedAt === undefined
      ? this.#ageMs
      : this.#ageMs + Math.floor(this.#clock.now() - this.#turnStartedAt)
  }

  get timeoutMs(): number {
    return this.#timeoutMs
  }

  set timeoutMs(timeoutMs: number | undefined) {
    this.#timeoutMs =
      timeoutMs === undefined ? this.#registryTimeoutMs : checkOwnTimeout(timeoutMs, this.#maxTimeoutMs)
  }

  get owner(): string | undefined {
    return this.#owner
  }

  set owner(owner: string | undefined) {
    this.#owner = owner === undefined ? undefined : checkOwner('owner', owner)
  }

  get held(): boolean {
    return this.#isHeld
  }

  get version(): string {
    return this.#snapshot.version
  }

  /**
   * Returns the session, for a call inside of its turn.
   *
   * @throws SessionRegistryError `ERR_SESSION_NOT_OWNER`
   */
  admit(owner: string | undefined): this {
    assertAdmitted(owner, this.#owner)
    return this
  }

  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  toJSON(): SessionFields<T> {
    return fieldsOf(this)
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return inspectSession(this, depth, options)
  }

  /**
   * Makes it the session of a turn. A value that cannot be decoded is found now, not in the middle of the
   * turn.
   *
   * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
   */
  beginTurn(): void {
    void this.value
    this.#isHeld = true
    this.#turnStartedAt = this.#clock.now()
  }

  endTurn(): void {
    this.#ageMs = this.ageMs
    this.#turnStartedAt = undefined
    this.#isHeld = false
  }

  /**
   * Returns the session as a turn has it now.
   *
   * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
   */
  current(): CurrentState {
    const changes = this.changes()
    return {
      text: changes.text ?? this.#snapshot.text,
      timeoutMs: this.#timeoutMs,
      owner: this.#owner,
      lastActiveAt: this.lastActiveAt,
      isCommitted: !isChanged(changes),
    }
  }

  /** @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID` */
  changes(): SessionChanges {
    const text = this.#value === undefined ? this.#snapshot.text : this.#codec.encode(this.#value.of)
    return {
      text: text === this.#snapshot.text ? undefined : text,
      timeoutMs: this.#timeoutMs === this.#snapshot.timeoutMs ? undefined : this.#timeoutMs,
      owner: this.#owner === this.#snapshot.owner ? undefined : { to: this.#owner },
    }
  }
}
