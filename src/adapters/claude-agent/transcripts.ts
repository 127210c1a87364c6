import { invalidValue } from '../../core/errors/invalid-value.ts'
import type { Session } from '../../core/session.ts'
import { jsonCopy } from '../../core/values/json-copy.ts'

/** A line of a transcript: `SessionStoreEntry` of the Claude Agent SDK. */
export interface AgentEntry {
  readonly type: string
  readonly uuid?: string
  readonly timestamp?: string
  readonly [field: string]: unknown
}

/** A transcript of a session. The value of a session is the list of its transcripts. */
export interface AgentTranscript {
  /** The subpath of a subagent's transcript; empty for the main transcript. */
  readonly subpath: string
  /** When it was last written, in epoch milliseconds. */
  mtime: number
  readonly entries: AgentEntry[]
}

/**
 * The uuids in lists of entries, so that an append does not read the whole list. A list that was read from a
 * store or from Redis is not in here, and is read once.
 */
const uuidsOf = new WeakMap<readonly AgentEntry[], Set<string | undefined>>()

/**
 * Returns a copy of the entries of a call, as JSON keeps them.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
 */
export function copyEntries(entries: readonly AgentEntry[]): AgentEntry[] {
  if (!Array.isArray(entries)) throw invalidValue('entries', 'an array', entries)
  const copies = jsonCopy('entries', entries) as AgentEntry[]
  for (const [index, copy] of copies.entries()) {
    if (typeof copy === 'object' && copy !== null && !Array.isArray(copy)) continue
    throw invalidValue(`entries[${index}]`, 'a SessionStoreEntry: an object', entries[index])
  }
  return copies
}

export function findTranscript(
  transcripts: readonly AgentTranscript[],
  subpath: string,
): AgentTranscript | undefined {
  return transcripts.find((one) => one.subpath === subpath)
}

/** Adds the entries to a transcript whose `uuid` it does not have yet, and makes it if it is not there. */
export function appendEntries(
  session: Session<AgentTranscript[]>,
  subpath: string,
  added: readonly AgentEntry[],
): void {
  // Inside a turn it is now, by the registry's clock.
  const mtime = session.lastActiveAt
  let transcript = findTranscript(session.value, subpath)
  if (transcript === undefined) {
    transcript = { subpath, mtime, entries: [] }
    session.value.push(transcript)
  }
  transcript.mtime = mtime
  const { entries } = transcript
  const uuids = uuidsOf.get(entries) ?? new Set(entries.map(uuidOf))
  uuidsOf.set(entries, uuids)
  for (const entry of added) {
    const uuid = uuidOf(entry)
    if (uuid !== undefined && uuids.has(uuid)) continue
    uuids.add(uuid)
    entries.push(entry)
  }
}

/** An own field, since a polluted prototype must not make every entry a repetition of the first. */
function uuidOf(entry: AgentEntry): string | undefined {
  const uuid: unknown = Object.hasOwn(entry, 'uuid') ? entry.uuid : undefined
  return typeof uuid === 'string' && uuid !== '' ? uuid : undefined
}
