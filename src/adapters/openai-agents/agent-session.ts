import type { AgentInputItem, Session } from '@openai/agents'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type SessionIdInput, toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import { checkOptions, checkPositive, invalidNumber } from '../../core/options/validate.ts'
import type { Session as RegistrySession } from '../../core/session.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { applyPause, defaultPausedTimeoutMs } from '../../core/time/paused-timeout.ts'
import { cloneList, type ListRules } from '../../core/values/clone-list.ts'
import { cloneValue } from '../../core/values/clone-value.ts'
import { indexOfUnmatched, unmatchedResults, waitsForApproval } from './tool-calls.ts'

type Items = AgentInputItem[]

/** Options of {@link agentSession}. */
export interface AgentSessionOptions {
  /**
   * The idle timeout of a session whose last call waits for an approval, until it goes on.
   *
   * Milliseconds; positive, or `Infinity` for no idle limit. Age, capacity and `delete` still end it.
   *
   * @defaultValue 604_800_000 (7 days)
   */
  readonly pausedTimeoutMs?: number | undefined
}

/**
 * Returns a `Session` of OpenAI Agents for a registry of item lists: `run(agent, input, { session:
 * agentSession(sessions, id) })`.
 *
 * Every call looks the session up by id, so the object never becomes stale. Items are copied on their way in
 * and out. Outside a turn each write is a short turn of its own; inside `sessions.run(id, …)` it joins that
 * turn. Reads wait for no turn, are activity and create nothing.
 *
 * The runner reads the history when a run starts and adds the items of the run when it ends. So runs that
 * should see each other's items each need a turn: `sessions.run(id, () => run(agent, input, { session }))`.
 *
 * A session whose last call waits for an approval has `pausedTimeoutMs` as its idle timeout. The result of a
 * call that is not in the list, such as an approval after the session has ended, is rejected with
 * `ERR_SESSION_VALUE_INVALID`.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_ID_INVALID`
 *
 * @example
 * const sessions = new SessionRegistry<AgentInputItem[]>({ create: () => [] })
 * await run(agent, 'hello', { session: agentSession(sessions, 'ada') })
 */
export function agentSession(
  source: SessionSource<Items>,
  id: SessionIdInput,
  options?: AgentSessionOptions,
): Session {
  assertSource(source)
  const sessionId = toSessionId(id)
  const { pausedTimeoutMs = defaultPausedTimeoutMs } = checkOptions('options', options, ['pausedTimeoutMs'])
  checkPositive('pausedTimeoutMs', pausedTimeoutMs)

  /** Returns a turn that changes the list and then updates whether the session is paused. */
  function changing<R>(
    change: (session: RegistrySession<Items>) => R,
  ): (session: RegistrySession<Items>) => R {
    return (session) => {
      const wasPaused = waitsForApproval(session.value)
      const result = change(session)
      applyPause(session, wasPaused, waitsForApproval(session.value), pausedTimeoutMs)
      return result
    }
  }

  return {
    getSessionId: async () => sessionId,

    getItems: async (limit) => {
      checkItemLimit(limit)
      const read = ({ value }: { value: Items }) => cloneValue('items', lastItems(value, limit), itemRules)
      return (await source.run(sessionId, read, { whenBusy: 'join', create: false })) ?? []
    },

    addItems: async (items) => {
      const added = cloneItems(items)
      if (added.length === 0) return
      const unmatched = unmatchedResults(added)
      const add = changing(({ value }) => {
        const missing = indexOfUnmatched(value, unmatched)
        if (missing !== undefined) throw missingCallError(missing)
        for (const item of added) value.push(item)
        return true
      })
      // A new session would not have the call: none is created to find that out.
      const options = unmatched.size === 0 ? {} : { create: false }
      const isAdded = await source.run(sessionId, add, options)
      if (isAdded === undefined) throw missingCallError(Math.min(...unmatched.values()))
    },

    popItem: () =>
      source.run(
        sessionId,
        changing(({ value }) => value.pop()),
        { create: false },
      ),

    clearSession: async () => {
      const clear = changing(({ value }) => value.splice(0))
      await source.run(sessionId, clear, { create: false })
    },

    // Without this member the runner clears the list and adds to it again: two steps, with a rollback of its
    // own.
    replaceHistoryWithCompaction: async (items) => {
      const replacement = cloneItems(items)
      const replace = changing((session) => {
        session.value = replacement
      })
      await source.run(sessionId, replace)
    },
  }
}

function lastItems(items: Items, limit: number | undefined): Items {
  return limit === undefined ? items : items.slice(Math.max(items.length - limit, 0))
}

function checkItemLimit(limit: unknown): void {
  if (limit === undefined || limit === Number.POSITIVE_INFINITY) return
  if (Number.isSafeInteger(limit) && (limit as number) >= 0) return
  throw invalidNumber('limit', 'zero, a positive integer or Infinity', limit)
}

const itemRules: ListRules = {
  rule: 'an AgentInputItem: an object with a `type` or a `role`',
  isEntry: isItem,
  isToolOutput: (holder, key) => key === 'output' && 'callId' in holder,
}

function cloneItems(items: readonly AgentInputItem[]): Items {
  return cloneList('items', items, itemRules)
}

function isItem(item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return false
  const { type, role } = item as { readonly type?: unknown; readonly role?: unknown }
  return typeof type === 'string' || typeof role === 'string'
}

function missingCallError(index: number): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_VALUE_INVALID',
    `Expected the call that \`items[${index}]\` is the result of to be in the session, but it is not: the session has ended meanwhile, or was cleared`,
  )
}
