import type { DeleteContext, PutContext, SessionStore, StoreContext, StoredSession } from 'session-registry'

/** A store that keeps every promise but to be durable. */
export class MemoryStore implements SessionStore {
  protected readonly kept = new Map<string, StoredSession>()
  isBroken = false

  async get(id: string, { signal }: StoreContext): Promise<StoredSession | undefined> {
    this.check(signal)
    const found = this.kept.get(id)
    return found && { ...found }
  }

  async put(session: StoredSession, { signal, replaces }: PutContext): Promise<boolean> {
    this.check(signal)
    const found = this.kept.get(session.id)?.revision ?? null
    if (replaces !== undefined && found !== replaces && found !== session.revision) return false
    this.kept.set(session.id, { ...session })
    return true
  }

  async delete(id: string, { signal, replaces }: DeleteContext): Promise<void> {
    this.check(signal)
    if (replaces === undefined || this.kept.get(id)?.revision === replaces) this.kept.delete(id)
  }

  async prune(before: number, limit: number): Promise<string[]> {
    this.check()
    const old = [...this.kept.values()].filter(({ lastActiveAt }) => lastActiveAt < before)
    const ids = old.slice(0, limit).map(({ id }) => id)
    for (const id of ids) this.kept.delete(id)
    return ids
  }

  async owned(owner: string): Promise<string[]> {
    this.check()
    return [...this.kept.values()].filter((session) => session.owner === owner).map(({ id }) => id)
  }

  async close(): Promise<void> {}

  /** Returns what is stored under an id, without a call. */
  session(id: string): StoredSession | undefined {
    return this.kept.get(id)
  }

  protected check(signal?: AbortSignal): void {
    if (this.isBroken) throw new Error('the back end is away')
    signal?.throwIfAborted()
  }
}
