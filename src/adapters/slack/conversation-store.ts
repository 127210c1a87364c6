import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type SessionIdInput, toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import { invalidNumber, ownFields } from '../../core/options/validate.ts'
import type { Session } from '../../core/session.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { systemClock } from '../../core/time/clock.ts'
import { cloneState } from '../../core/values/clone-state.ts'
import { isPlain } from '../../core/values/value-kind.ts'
import { FailedReads } from './failed-reads.ts'

/** The value of a session: the state of a conversation, and until when it holds. */
export interface Conversation<S> {
  /** The state that was stored; absent in a conversation that has none yet. */
  readonly value?: S | undefined
  /** Epoch milliseconds; absent: as long as the session lives. */
  readonly expiresAt?: number | undefined
}

/** The `ConversationStore` of Bolt. */
export interface ConversationStore<S> {
  /**
   * Stores a copy of the state; creates the session where there is none. Activity. Outside a turn it is a
   * short turn of its own; inside `sessions.run(conversationId, …)` it joins that turn.
   *
   * `expiresAt`: epoch milliseconds, after which the state reads as expired; the session ends by the
   * timeouts of the registry. The copy keeps what JSON keeps, and dates, maps, sets and bytes; functions are
   * left out.
   *
   * Rejects with `ERR_SESSION_STORE_FAILED` while the last read of the conversation is one that failed, with
   * `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID` and `ERR_SESSION_VALUE_INVALID`.
   */
  set(this: void, conversationId: SessionIdInput, value: S, expiresAt?: number): Promise<void>
  /**
   * Returns a copy of the state. Activity. It waits for no turn and creates nothing.
   *
   * Rejects as Bolt expects where there is none: with `Conversation not found`, or `Conversation expired`
   * after its `expiresAt`.
   */
  get(this: void, conversationId: SessionIdInput): Promise<S>
}

/**
 * Returns the `convoStore` of a Bolt app for a registry of conversations. The id is that of the channel.
 *
 * Bolt takes any failure of `get` for a conversation that has no state yet. A listener would then begin anew
 * and overwrite what is stored. So after a read that failed, `set` of that conversation rejects until a read
 * of it succeeds; Bolt passes that to `app.error`. Once the reads of more than 1 000 conversations have
 * failed, `set` rejects for every conversation that was not read since.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const sessions = new SessionRegistry<Conversation<State>>()
 * const app = new App({ token, signingSecret, convoStore: conversationStore(sessions) })
 */
export function conversationStore<S>(source: SessionSource<Conversation<S>>): ConversationStore<S> {
  assertSource(source)
  const failedReads = new FailedReads()

  return {
    set: async (conversationId, value, expiresAt) => {
      const id = toSessionId(conversationId)
      const conversation = { value: cloneState(value), ...expiry(expiresAt) }
      if (failedReads.has(id)) throw unreadError(failedReads.errorOf(id))
      const assign = (session: Session<Conversation<S>>) => {
        session.value = conversation
      }
      // Nothing that a factory of the registry makes would be kept.
      await source.run(id, assign, { create: () => conversation })
    },

    get: async (conversationId) => {
      const id = toSessionId(conversationId)
      let found: State<S> | undefined
      try {
        found = await source.run(id, readState, { whenBusy: 'join', create: false })
      } catch (error) {
        failedReads.add(id, error)
        throw error
      }
      failedReads.delete(id)
      if (found === undefined) throw new Error('Conversation not found')
      if (found.isExpired) throw new Error('Conversation expired')
      return found.value
    },
  }
}

interface State<S> {
  readonly isExpired: boolean
  readonly value: S
}

/** Returns the state of a conversation; `undefined` where it has none yet. */
function readState<S>(session: Session<Conversation<S>>): State<S> | undefined {
  const { value, expiresAt } = conversationOf<S>(session.value)
  if (value === undefined) return undefined
  const isExpired = typeof expiresAt === 'number' && hasPassed(expiresAt, session)
  return { isExpired, value: cloneState(value) }
}

/**
 * Returns the conversation that a session has. What a `load` or a `create` returned without `value` around it
 * is a state that does not expire.
 */
function conversationOf<S>(stored: unknown): Conversation<S> {
  const value = stored ?? {}
  return isFramed(value) ? ownFields(value) : { value: value as S }
}

function isFramed(value: object): boolean {
  if (typeof value !== 'object' || Array.isArray(value) || !isPlain(value)) return false
  return Object.keys(value).every((key) => key === 'value' || key === 'expiresAt')
}

/**
 * Whether an instant has passed, on the clock of the system, by which applications compute it, or on that of
 * the registry, which a test advances.
 */
function hasPassed(at: number, { lastActiveAt }: Session<unknown>): boolean {
  // In a turn, which is activity, the last activity is now.
  return Math.max(systemClock.date(), lastActiveAt) > at
}

function expiry(expiresAt: number | undefined): Pick<Conversation<unknown>, 'expiresAt'> {
  if (expiresAt === undefined || expiresAt === Number.POSITIVE_INFINITY) return {}
  if (Number.isFinite(expiresAt)) return { expiresAt }
  throw invalidNumber('expiresAt', 'epoch milliseconds or Infinity', expiresAt)
}

function unreadError(cause: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_STORE_FAILED',
    'Expected the last read of the conversation to have succeeded, but it failed: its state would be overwritten unread',
    cause === undefined ? {} : { cause },
  )
}
