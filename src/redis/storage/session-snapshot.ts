import { type ExpiryReason, expiryReason } from '../../core/end-reason.ts'
import type { ReplyReader } from '../client/reply-reader.ts'
import { readOwner } from './owner-text.ts'

/** One incarnation of an id, as it was in Redis at `seenAt`. */
export interface SessionSnapshot {
  readonly id: string
  readonly incarnation: string
  readonly owner: string | undefined
  /**
   * The name of the last save. It is random, so that it cannot recur on a server that lost its last writes.
   */
  readonly version: string
  /** Epoch milliseconds of the server, as all instants here. */
  readonly createdAt: number
  readonly lastActiveAt: number
  /** The idle timeout. */
  readonly timeoutMs: number
  /** The instant at which it expires, however active. */
  readonly maxAgeAt: number
  /** The instant of this state. */
  readonly seenAt: number
  readonly held: boolean
  readonly text: string
}

/** Reads the `state` of a reply: `o, v, c, a, i, m`, see `session.lua.ts`. */
export function readState(
  reply: ReplyReader,
): Pick<SessionSnapshot, 'owner' | 'version' | 'createdAt' | 'lastActiveAt' | 'timeoutMs' | 'maxAgeAt'> {
  return {
    owner: readOwner(reply.readText()),
    version: reply.readText(),
    createdAt: reply.readNumber(),
    lastActiveAt: reply.readNumber(),
    timeoutMs: orNever(reply.readNumber()),
    maxAgeAt: orNever(reply.readNumber()),
  }
}

/** Reads an incarnation that has ended: its name, its state and its value. */
export function readEnded(id: string, seenAt: number, reply: ReplyReader): SessionSnapshot {
  const incarnation = reply.readText()
  const state = readState(reply)
  return { id, incarnation, ...state, seenAt, held: false, text: reply.readText() }
}

/** Returns a duration as an argument of a script, where -1 is never. */
export function durationText(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? '-1' : String(ms)
}

function orNever(ms: number): number {
  return ms < 0 ? Number.POSITIVE_INFINITY : ms
}

/** Returns why a session has expired: the deadline that came first. */
export function expiryReasonOf({ lastActiveAt, timeoutMs, maxAgeAt }: SessionSnapshot): ExpiryReason {
  return expiryReason(lastActiveAt + timeoutMs, maxAgeAt)
}

/**
 * Returns how much later than its idle timeout a session may expire, in milliseconds; `lagMs` of the scripts.
 */
export function lagOf(timeoutMs: number): number {
  return Math.max(1, Math.min(Math.floor(timeoutMs / 128), 1_000))
}
