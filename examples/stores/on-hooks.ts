import { SessionRegistry } from 'session-registry'

const database = new Map<string, string>() // in place of yours

export function openOnHooks(): SessionRegistry<string[]> {
  return new SessionRegistry<string[]>({
    create: () => [],
    archive: async (session, _reason, { signal }) => {
      signal.throwIfAborted()
      database.set(session.id, JSON.stringify(session.value))
    },
    load: async (id) => {
      const stored = database.get(id)
      return stored === undefined ? undefined : JSON.parse(stored)
    },
  })
}
