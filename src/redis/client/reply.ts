/** The reply of every script: whether it ran, and when. */
export interface Reply {
  /** Whether the script came too late and changed nothing. */
  readonly isRefused: boolean
  /** Epoch milliseconds of the server. */
  readonly now: number
  /** The script's own result, for a {@link ReplyReader}. */
  readonly result: unknown
}

/** Returns the parts of a reply; `undefined` for what is not the reply of one of our scripts. */
export function readReply(reply: unknown): Reply | undefined {
  if (!Array.isArray(reply) || reply.length < 2 || reply.length > 3) return undefined
  const [state, now, result] = [toNumber(reply[0]), toNumber(reply[1]), reply[2]]
  if (!Number.isSafeInteger(now) || now <= 0) return undefined
  if (state === 1 && reply.length === 3) return { isRefused: false, now, result }
  return state === 0 && reply.length === 2 ? { isRefused: true, now, result: undefined } : undefined
}

/** Returns a number, in whatever type the client returned it. */
function toNumber(part: unknown): number {
  if (typeof part === 'number' || typeof part === 'bigint' || typeof part === 'string') return Number(part)
  return ArrayBuffer.isView(part) ? Number(textOf(part)) : Number.NaN
}

/** Returns the text of bytes, of this realm or another. */
export function textOf({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
}
