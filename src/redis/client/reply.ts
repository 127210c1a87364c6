/** What every script answers: whether it was carried out, and when. */
export interface Reply {
  /** It came too late, and did nothing. */
  readonly isRefused: boolean
  /** Epoch ms of the server. */
  readonly now: number
  /** The script's own answer, which an {@link Answer} reads. */
  readonly result: unknown
}

/** Reads the reply of a script; `undefined` where no script of ours can have given it. */
export function readReply(reply: unknown): Reply | undefined {
  if (!Array.isArray(reply) || reply.length < 2 || reply.length > 3) return undefined
  const [state, now, result] = [toNumber(reply[0]), toNumber(reply[1]), reply[2]]
  if (!Number.isSafeInteger(now) || now <= 0) return undefined
  if (state === 1 && reply.length === 3) return { isRefused: false, now, result }
  return state === 0 && reply.length === 2 ? { isRefused: true, now, result: undefined } : undefined
}

/** A number as any client hands it out. */
function toNumber(part: unknown): number {
  if (typeof part === 'number' || typeof part === 'bigint' || typeof part === 'string') return Number(part)
  return ArrayBuffer.isView(part) ? Number(textOf(part)) : Number.NaN
}

/** The text of bytes of any realm. */
export function textOf({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
}
