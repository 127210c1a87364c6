import { ownerText } from './owner-text.ts'
import { durationText } from './session-snapshot.ts'

/** What a turn has changed of its session. */
export interface SessionChanges {
  /** The encoded value; `undefined` if it is unchanged. */
  readonly text: string | undefined
  /** The idle timeout in milliseconds; `undefined` if it is unchanged. */
  readonly timeoutMs: number | undefined
  /** The new owner, which may be none; `undefined` if it is unchanged. */
  readonly owner: { readonly to: string | undefined } | undefined
}

export const noChanges: SessionChanges = { text: undefined, timeoutMs: undefined, owner: undefined }

export function isChanged({ text, timeoutMs, owner }: SessionChanges): boolean {
  return text !== undefined || timeoutMs !== undefined || owner !== undefined
}

/** Returns the arguments of the script `commit`. */
export function changeArgs({ text, timeoutMs, owner }: SessionChanges): string[] {
  const value = text === undefined ? ['0', ''] : ['1', text]
  const timeout = timeoutMs === undefined ? '' : durationText(timeoutMs)
  return [...value, timeout, owner === undefined ? '' : `=${ownerText(owner.to)}`]
}
