import type { ExpiryReason } from '../../core/end-reason.ts'
import type { ReplyReader } from '../client/reply-reader.ts'

/** One life of an id, as Redis knew it at a moment. */
export interface SessionSnapshot {
  readonly id: string
  readonly incarnation: string
  /**
   * Names what was saved last: random, so that it cannot come again on a server that has lost its last
   * moments.
   */
  readonly version: string
  /** Epoch ms of the server, and so are the other times. */
  readonly createdAt: number
  readonly lastActiveAt: number
  /** The idle timeout. */
  readonly timeoutMs: number
  /** When it is over by age, however active. */
  readonly maxAgeAt: number
  /** The moment at which all this was so. */
  readonly seenAt: number
  readonly held: boolean
  readonly text: string
}

/** Reads `v, c, a, i, m`, the order in which every script tells the times of a life. */
export function readTimes(
  reply: ReplyReader,
): Pick<SessionSnapshot, 'version' | 'createdAt' | 'lastActiveAt' | 'timeoutMs' | 'maxAgeAt'> {
  return {
    version: reply.readText(),
    createdAt: reply.readNumber(),
    lastActiveAt: reply.readNumber(),
    timeoutMs: orNever(reply.readNumber()),
    maxAgeAt: orNever(reply.readNumber()),
  }
}

/** Reads a life that has ended: its incarnation, its times and its value. */
export function readEnded(id: string, seenAt: number, reply: ReplyReader): SessionSnapshot {
  const incarnation = reply.readText()
  const times = readTimes(reply)
  return { id, incarnation, ...times, seenAt, held: false, text: reply.readText() }
}

/** In Redis, -1 stands for never. */
export function durationText(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? '-1' : String(ms)
}

function orNever(ms: number): number {
  return ms < 0 ? Number.POSITIVE_INFINITY : ms
}

/** Why a life that is over is: the deadline that came first. */
export function expiryReason({ lastActiveAt, timeoutMs, maxAgeAt }: SessionSnapshot): ExpiryReason {
  return maxAgeAt < lastActiveAt + timeoutMs ? 'age' : 'idle'
}

/** How much later than its idle timeout a session is over, at the most; the scripts reckon alike. */
export function lagOf(timeoutMs: number): number {
  return Math.max(1, Math.min(Math.floor(timeoutMs / 128), 1_000))
}
