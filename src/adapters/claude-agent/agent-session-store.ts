import { paced } from '../../core/async/paced.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import type { Session } from '../../core/session.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { deleteStored } from '../../core/storing/delete-stored.ts'
import { cloneValue } from '../../core/values/clone-value.ts'
import { type AgentSessionKey, resolveKey, sessionIdsOf } from './session-key.ts'
import {
  type AgentEntry,
  type AgentTranscript,
  appendEntries,
  copyEntries,
  findTranscript,
} from './transcripts.ts'

/**
 * A `SessionStore` of the Claude Agent SDK.
 *
 * Its methods reject with `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID`, and the codes of the
 * registry.
 */
export interface AgentSessionStore {
  /**
   * Adds entries to a transcript, in the order of the calls. Activity. It leaves out an entry whose `uuid`
   * the transcript has already, so that a repeated call changes nothing. Without entries it creates no
   * session.
   *
   * Rejects with `ERR_SESSION_VALUE_INVALID` if something is not an entry, or the list has more than 900
   * levels; then it appends nothing.
   */
  append(this: void, key: AgentSessionKey, entries: readonly AgentEntry[]): Promise<void>
  /**
   * Returns a copy of a transcript; `null` if it was never written, was deleted, or its session has ended.
   * Activity. It waits for no turn and creates nothing.
   */
  load(this: void, key: AgentSessionKey): Promise<AgentEntry[] | null>
  /**
   * Returns the live sessions of a project that have a main transcript, each with the time when that was last
   * written, in epoch milliseconds. Not activity.
   */
  listSessions(this: void, projectKey: string): Promise<{ sessionId: string; mtime: number }[]>
  /**
   * Deletes a transcript. The main transcript takes the session with it, which ends with `'deleted'`, and all
   * its subpaths: it waits until the registry's store has deleted it.
   *
   * Rejects with `ERR_SESSION_STORE_FAILED` if the store takes more than 3 seconds; the deletion goes on
   * then.
   */
  delete(this: void, key: AgentSessionKey): Promise<void>
  /**
   * Returns the subpaths of the transcripts of a session, without the main one. Activity; creates nothing.
   */
  listSubkeys(this: void, key: Pick<AgentSessionKey, 'projectKey' | 'sessionId'>): Promise<string[]>
}

/**
 * Returns a `SessionStore` of the Claude Agent SDK, for a registry of transcripts:
 * `query({ prompt, options: { sessionStore: agentSessionStore(sessions) } })`.
 *
 * A session of the SDK, with the transcripts of its subagents, is one session of the registry. Its id is
 * `JSON.stringify([projectKey, sessionId])`, which may have at most 1 024 UTF-16 units. Entries are copied on
 * their way in and out.
 *
 * An append after the session has ended creates a session that lacks what was said before. So choose a
 * `timeoutMs` longer than the longest pause of an agent, or hold the session while the agent works.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const sessions = new SessionRegistry<AgentTranscript[]>({ timeoutMs: 24 * 60 * 60_000 })
 * const sessionStore = agentSessionStore(sessions)
 */
export function agentSessionStore(source: SessionSource<AgentTranscript[]>): AgentSessionStore {
  assertSource(source)

  /** Reads a session beside its turns; `undefined` if there is none. */
  const read = <R>(id: string, turn: (session: Session<AgentTranscript[]>) => R): Promise<R | undefined> =>
    source.run(id, turn, { whenBusy: 'join', create: false })

  return {
    append: async (key, entries) => {
      const { id, subpath } = resolveKey(key)
      const added = copyEntries(entries)
      if (added.length === 0) return
      await source.run(id, (session) => appendEntries(session, subpath, added), { create: () => [] })
    },

    load: async (key) => {
      const { id, subpath } = resolveKey(key)
      const entries = await read(id, ({ value }) =>
        cloneValue('entries', findTranscript(value, subpath)?.entries),
      )
      return entries ?? null
    },

    listSessions: async (projectKey) => {
      const sessionIdIn = sessionIdsOf(projectKey)
      const found: { sessionId: string; mtime: number }[] = []
      for await (const id of paced(source.keys())) {
        const sessionId = sessionIdIn(id)
        if (sessionId === undefined) continue
        const main = findTranscript((await source.peek(id))?.value ?? [], '')
        if (main !== undefined) found.push({ sessionId, mtime: main.mtime })
      }
      return found
    },

    delete: async (key) => {
      const { id, subpath } = resolveKey(key)
      if (subpath === '') {
        await deleteStored(source, id)
        return
      }
      const remove = (session: Session<AgentTranscript[]>) => {
        session.value = session.value.filter((one) => one.subpath !== subpath)
      }
      await source.run(id, remove, { create: false })
    },

    listSubkeys: async (key) => {
      const { id } = resolveKey(key)
      const subpaths = await read(id, ({ value }) =>
        value.map(({ subpath }) => subpath).filter((subpath) => subpath !== ''),
      )
      return subpaths ?? []
    },
  }
}
