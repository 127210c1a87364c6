import type { AgentInputItem, Session } from '@openai/agents'
import { copiedList } from '../core/copied-list.ts'
import { type GivenId, givenId } from '../core/given-id.ts'
import { givenSource } from '../core/given-source.ts'
import type { SessionSource } from '../core/session-source.ts'
import { invalidNumber } from '../core/validate.ts'

/**
 * A `Session` of OpenAI Agents over a registry of item lists: `run(agent, input, { session: agentSession(sessions, id) })`.
 *
 * The session is looked up at every call, so the object may be kept for as long as you like. Items are copied on their
 * way in and out. Outside a turn each write is a short turn of its own; inside `sessions.run(id, …)` it joins that turn.
 * Reads wait for no turn, count as activity and create nothing.
 *
 * The runner reads the history when a run starts and adds the items of the run when it ends. Two runs that are to see each
 * other therefore each need a turn: `sessions.run(id, () => run(agent, input, { session }))`.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_ID_INVALID`
 *
 * @example
 * const sessions = new SessionRegistry<AgentInputItem[]>({ create: () => [] })
 * await run(agent, 'hello', { session: agentSession(sessions, 'ada') })
 */
export function agentSession(source: SessionSource<AgentInputItem[]>, id: GivenId): Session {
  givenSource(source)
  const sessionId = givenId(id)

  return {
    getSessionId: async () => sessionId,

    getItems: async (limit) => {
      checkItemLimit(limit)
      const items = await source.run(sessionId, ({ value }) => structuredClone(newest(value, limit)), {
        whenBusy: 'join',
        create: false,
      })
      return items ?? []
    },

    addItems: async (items) => {
      const added = copyOf(items)
      if (added.length === 0) return
      await source.run(sessionId, ({ value }) => {
        for (const item of added) value.push(item)
      })
    },

    popItem: () => source.run(sessionId, ({ value }) => value.pop(), { create: false }),

    clearSession: async () => {
      await source.run(sessionId, ({ value }) => value.splice(0), { create: false })
    },

    // Without it the runner clears the list and adds to it again: two steps, and a rollback of its own.
    replaceHistoryWithCompaction: async (items) => {
      const replacement = copyOf(items)
      await source.run(sessionId, (session) => {
        session.value = replacement
      })
    },
  }
}

function newest(items: AgentInputItem[], limit: number | undefined): AgentInputItem[] {
  return limit === undefined ? items : items.slice(Math.max(items.length - limit, 0))
}

function checkItemLimit(limit: unknown): void {
  if (limit === undefined || limit === Number.POSITIVE_INFINITY) return
  if (Number.isSafeInteger(limit) && (limit as number) >= 0) return
  throw invalidNumber('limit', 'zero, a positive integer or Infinity', limit)
}

function copyOf(items: readonly AgentInputItem[]): AgentInputItem[] {
  return copiedList('items', items, 'an AgentInputItem: an object with a `type` or a `role`', isItem)
}

function isItem(item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return false
  const { type, role } = item as { readonly type?: unknown; readonly role?: unknown }
  return typeof type === 'string' || typeof role === 'string'
}
