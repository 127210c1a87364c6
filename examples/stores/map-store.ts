import type { DeleteContext, PutContext, SessionStore, StoreContext, StoredSession } from 'session-registry'

/** A store in a `Map`. It keeps every promise but to be durable. */
export class MapStore implements SessionStore {
  readonly #sessions = new Map<string, StoredSession>()

  async get(id: string, { signal }: StoreContext): Promise<StoredSession | undefined> {
    signal.throwIfAborted()
    const found = this.#sessions.get(id)
    return found && { ...found } // a copy: what is handed out is not what is stored
  }

  /** Compares and writes in one step: there is no `await` in between. */
  async put(session: StoredSession, { signal, replaces }: PutContext): Promise<boolean> {
    signal.throwIfAborted()
    const found = this.#sessions.get(session.id)?.revision ?? null
    const isRepeat = found === session.revision
    if (replaces !== undefined && replaces !== found && !isRepeat) return false
    this.#sessions.set(session.id, { ...session })
    return true
  }

  async delete(id: string, { signal, replaces }: DeleteContext): Promise<void> {
    signal.throwIfAborted()
    if (replaces === undefined || replaces === this.#sessions.get(id)?.revision) this.#sessions.delete(id)
  }

  async prune(before: number, limit: number): Promise<string[]> {
    const old = [...this.#sessions.values()].filter(({ lastActiveAt }) => lastActiveAt < before)
    const ids = old.slice(0, limit).map(({ id }) => id)
    for (const id of ids) this.#sessions.delete(id)
    return ids
  }

  async owned(owner: string): Promise<string[]> {
    return [...this.#sessions.values()].filter((session) => session.owner === owner).map(({ id }) => id)
  }
}
